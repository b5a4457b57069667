package main

import (
	"fmt"

	"github.com/urfave/cli/v2"
)

const bashCompletion = `# emberwatch completion bash > /etc/bash_completion.d/emberwatch
_emberwatch() {
  local cur="${COMP_WORDS[COMP_CWORD]}" opts
  opts=$("${COMP_WORDS[@]:0:$COMP_CWORD}" --generate-bash-completion 2>/dev/null)
  COMPREPLY=($(compgen -W "${opts}" -- "${cur}") $(compgen -f -- "${cur}"))
}
complete -F _emberwatch emberwatch
`

const zshCompletion = `#compdef emberwatch
# emberwatch completion zsh > "${fpath[1]}/_emberwatch"
_emberwatch() {
  local -a opts
  opts=("${(@f)$(${words[@]:0:#words[@]-1} --generate-bash-completion 2>/dev/null)}")
  if [[ -n "${opts[1]}" ]]; then
    _describe 'values' opts
  fi
  _files
}
compdef _emberwatch emberwatch
`

func (a *app) completionCommand() *cli.Command {
	return &cli.Command{
		Name: "completion", Usage: "print a completion script", ArgsUsage: "bash|zsh|fish",
		Action: func(c *cli.Context) error {
			script := ""
			switch c.Args().First() {
			case "bash":
				script = bashCompletion
			case "zsh":
				script = zshCompletion
			case "fish":
				var err error
				if script, err = c.App.ToFishCompletion(); err != nil {
					return err
				}
			default:
				return usage("name the shell: bash, zsh or fish")
			}
			_, err := fmt.Fprint(a.stdout, script)
			return err
		},
	}
}
