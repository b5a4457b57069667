package main

import (
	"slices"
	"strings"
	"testing"
)

func TestFlagsMayFollowArguments(t *testing.T) {
	for in, want := range map[string]string{
		"ew incidents ack x-1 --for 2h --as ingrid": "ew incidents ack --for 2h --as ingrid x-1",
		"ew --data d replay a.csv --json b.csv":     "ew --data d replay --json a.csv b.csv",
		"ew replay --brand=x a --labels l b":        "ew replay --brand=x --labels l a b",
		"ew score - --plain":                        "ew score --plain -",
		"ew replay -- --odd-name":                   "ew replay -- --odd-name",
		"ew nosuch --json":                          "ew --json nosuch",
		"ew":                                        "ew",
		"ew init dir --brand":                       "ew init dir --brand",
	} {
		got := flagsFirst((&app{}).cli(), strings.Fields(in))
		if !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("%s: got %v, want %s", in, got, want)
		}
	}
}
