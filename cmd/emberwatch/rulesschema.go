package main

import (
	"io"

	"emberwatch/rules"

	"github.com/urfave/cli/v2"
)

func (a *app) rulesSchemaCommand() *cli.Command {
	return &cli.Command{
		Name: "schema", Usage: "print the JSON Schema of rule files, for editors",
		Description: "Write it beside the rule files and begin each of them with\n" +
			"  # yaml-language-server: $schema=rules.schema.json",
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return usage("rules schema takes no arguments")
			}
			_, err := io.WriteString(a.stdout, rules.Schema())
			return err
		},
	}
}
