package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// flagsFirst moves a command's flags before its arguments, because people write "incidents ack ID --for 2h" and
// the library stops at the first argument. What follows "--" stays as it is.
func flagsFirst(app *cli.App, args []string) []string {
	if len(args) == 0 {
		return args
	}
	head, rest := []string{args[0]}, args[1:]
	flags, commands := app.Flags, app.Commands
	for {
		n := skipFlags(flags, rest)
		head, rest = append(head, rest[:n]...), rest[n:]
		if len(rest) == 0 {
			return head
		}
		i := slices.IndexFunc(commands, func(c *cli.Command) bool { return c.HasName(rest[0]) })
		if i < 0 {
			break
		}
		head = append(head, rest[0])
		rest, flags, commands = rest[1:], commands[i].Flags, commands[i].Subcommands
	}
	if dangling(flags, rest) {
		return args // a flag at the end lacks its value, and must not take an argument for it
	}
	var first, later []string
	for len(rest) > 0 {
		switch n := skipFlags(flags, rest); {
		case n > 0:
			first, rest = append(first, rest[:n]...), rest[n:]
		case rest[0] == "--":
			later, rest = append(later, rest...), nil
		default:
			later, rest = append(later, rest[0]), rest[1:]
		}
	}
	return slices.Concat(head, first, later)
}

// skipFlags returns how many of args are flags and their values.
func skipFlags(flags []cli.Flag, args []string) int {
	n := 0
	for n < len(args) && len(args[n]) > 1 && args[n][0] == '-' && args[n] != "--" {
		name, _, joined := strings.Cut(strings.TrimLeft(args[n], "-"), "=")
		n++
		if !joined && takesValue(flags, name) && n < len(args) {
			n++
		}
	}
	return n
}

func dangling(flags []cli.Flag, args []string) bool {
	if slices.Contains(args, "--") || len(args) == 0 {
		return false
	}
	last := args[len(args)-1]
	return len(last) > 1 && last[0] == '-' && !strings.Contains(last, "=") && takesValue(flags, strings.TrimLeft(last, "-"))
}

func takesValue(flags []cli.Flag, name string) bool {
	for _, f := range flags {
		if _, isBool := f.(*cli.BoolFlag); !isBool && slices.Contains(f.Names(), name) {
			return true
		}
	}
	return false
}
