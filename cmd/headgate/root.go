package main

import (
	"github.com/spf13/cobra"
)

const rootHelp = `Headgate routes digital-twin events through sandboxed WebAssembly plugins.

Start with a live example:

  headgate demo

or with a server of your own, and talk to it from a second terminal:

  headgate serve
  headgate put endpoint out --kind file --set path=events.ndjson
  headgate put route all --endpoint out
  headgate send event.json
  headgate tail

Exit status: 0 done; 1 failed; 2 the command line or configuration is wrong;
3 the server cannot be reached or is not ready, so that trying again may help;
4 the server refused: not found, in use, not valid, or not allowed. Of "headgate plan"
alone, 2 says that something would change, and a wrong command line is 1.`

// The groups of commands in the help.
const (
	groupServer  = "server"
	groupEvents  = "events"
	groupControl = "control"
)

// newRoot returns the tree of commands over a.
func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:           "headgate",
		Short:         "Route digital-twin events through sandboxed WebAssembly plugins",
		Long:          rootHelp,
		Version:       versionText(),
		SilenceErrors: true, // exit reports them
		SilenceUsage:  true,
		// All that fails before this runs is the command line's fault.
		PersistentPreRun: func(*cobra.Command, []string) { a.started = true },
	}
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.SetVersionTemplate("headgate {{.Version}}\n")
	root.AddGroup(
		&cobra.Group{ID: groupServer, Title: "Server:"},
		&cobra.Group{ID: groupEvents, Title: "Events:"},
		&cobra.Group{ID: groupControl, Title: "Routes, endpoints and plugins:"},
	)
	add := func(group string, commands ...*cobra.Command) {
		for _, c := range commands {
			c.GroupID = group
			root.AddCommand(c)
		}
	}
	add(groupServer, serveCommand(a), demoCommand(a), emulatorCommand(a), statusCommand(a), versionCommand(a))
	add(groupEvents, sendCommand(a), tailCommand(a), twinCommand(a), explainCommand(a), deadLettersCommand(a), replayCommand(a), simulationCommand(a))
	add(groupControl, planCommand(a), applyCommand(a), exportCommand(a), schemaCommand(a))
	add(groupControl, getCommand(a), putCommand(a), deleteCommand(a), pluginCommand(a), routesCommand(a), filterCommand(a), endpointsCommand(a), sourcesCommand(a))
	add(groupControl, importCommand(a))
	return root
}
