package rules

import (
	"embed"
	"fmt"
	"path"
)

//go:embed packs/*.yml
var packs embed.FS

// packFiles returns the embedded files: categories with their cues, starter rules, playbooks.
func packFiles() []File {
	entries, err := packs.ReadDir("packs")
	if err != nil {
		panic(fmt.Sprintf("rules: embedded packs: %v", err))
	}
	var files []File
	for _, e := range entries {
		name := path.Join("packs", e.Name())
		data, err := packs.ReadFile(name)
		if err != nil {
			panic(fmt.Sprintf("rules: embedded packs: %v", err))
		}
		files = append(files, File{Name: name, Data: data})
	}
	return files
}

// Starter returns the embedded rules, categories and playbooks: what is in force without any rule file. It
// panics only if the embedded files are broken.
func Starter() *Set {
	s, errs := Parse(nil, Options{})
	if s == nil {
		panic("rules: embedded packs:\n" + errs.Error())
	}
	return s
}
