package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/client"
)

func pluginCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "plugin",
		Aliases: []string{"plugins"},
		Short:   "Write, test, upload and activate plugins",
		Long: `Write, test, upload and activate plugins. A plugin has numbered versions that never change;
routes that name it without a version follow the active one. Activating another one,
or an older one again, changes all of them at once, without a restart.`,
		Args: cobra.NoArgs,
		RunE: needsSubcommand,
	}
	list := getOne(a, "list", "ls", "NAME", (*client.Client).Plugins, (*client.Client).Plugin, printPlugins)
	list.Short = "Show all plugins and their versions, or those that are named"
	cmd.AddCommand(newPluginCommand(a), buildCommand(a), testPluginCommand(a), inspectCommand(a), devCommand(a), reproCommand(a))
	cmd.AddCommand(pushCommand(a), list, activateCommand(a), setPluginCommand(a), trapsCommand(a), pluginLogsCommand(a), deletePluginCommand(a))
	return cmd
}

const pushHelp = `Upload a WebAssembly module as a version of a plugin; a directory is compiled first. The first version of a name
becomes active at once; a later one waits to be activated, unless --activate is given.
The same bytes again are the same version.

The server tries the module on its latest events first; what it finds to warn of is
shown. --dry-run shows the whole report, and stores nothing.`

const pushExample = `  headgate plugin push threshold --file examples/threshold
  headgate plugin push threshold --file threshold.wasm
  headgate plugin push threshold --file threshold.wasm --activate`

func pushCommand(a *app) *cobra.Command {
	var (
		file     string
		activate bool
		dryRun   bool
		connect  connection
	)
	cmd := &cobra.Command{
		Use: "push NAME --file MODULE", Short: "Upload a module as a version of a plugin",
		Long: pushHelp, Example: pushExample, Args: wants(1, 1, "the name of the plugin"),
	}
	cmd.Flags().StringVarP(&file, "file", "f", "", "`FILE` of the module, or directory of its source; - is standard input")
	cmd.Flags().BoolVar(&activate, "activate", false, "make the version the active one")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "try the module and report, and store nothing")
	cmd.MarkFlagsMutuallyExclusive("activate", "dry-run")
	connect.flags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if file == "" {
			return usageError("name the module with --file")
		}
		c, err := connect.client(a)
		if err != nil {
			return err
		}
		send := c.Upload
		if dryRun {
			send = tryUpload(c)
		}
		v, created, err := a.upload(cmd.Context(), send, args[0], file)
		if err != nil {
			return fmt.Errorf("push %s: %w", args[0], err)
		}
		if dryRun {
			return a.printDryRun(v, connect.json)
		}
		active := v.Version.Version == 1
		if activate {
			if _, err := c.Activate(cmd.Context(), v.Name, v.Version.Version, catalog.Precondition{}); err != nil {
				return fmt.Errorf("activate %s version %d: %w", v.Name, v.Version.Version, err)
			}
			active = true
		}
		if connect.json {
			return printJSON(a.out, v)
		}
		said := "uploaded"
		if !created {
			said, active = "exists already", activate
		}
		fmt.Fprintf(a.out, "%s version %d %s\n  digest  %s\n  kinds   %s\n  size    %s\n",
			v.Name, v.Version.Version, said, v.Digest, strings.Join(v.Kinds, ", "), size(v.Size))
		a.printWarnings(v)
		if active {
			fmt.Fprintln(a.out, "  active  yes")
		} else {
			fmt.Fprintf(a.out, "Make it the active one with: headgate plugin activate %s %d\n", v.Name, v.Version.Version)
		}
		return nil
	}
	return cmd
}

// sendModule is [client.Client.Upload], or what a dry run does in its place.
type sendModule func(ctx context.Context, name string, module io.Reader, size int64, progress func(int64)) (catalog.Admitted, bool, error)

func tryUpload(c *client.Client) sendModule {
	return func(ctx context.Context, name string, module io.Reader, size int64, progress func(int64)) (catalog.Admitted, bool, error) {
		v, err := c.TryUpload(ctx, name, module, size, progress)
		return v, false, err
	}
}

// upload sends the file, telling its progress.
func (a *app) upload(ctx context.Context, send sendModule, name, file string) (catalog.Admitted, bool, error) {
	f, err := a.openModule(ctx, file)
	if err != nil {
		return catalog.Admitted{}, false, err
	}
	defer f.Close()
	total := int64(-1)
	if on, ok := f.(*os.File); ok {
		if info, err := on.Stat(); err == nil && info.Mode().IsRegular() {
			total = info.Size()
		}
	}
	p := a.progress()
	defer p.done()
	return send(ctx, name, io.Reader(f), total, func(sent int64) {
		if total > 0 {
			p.say("uploading %s: %s of %s", name, size(sent), size(total))
		} else {
			p.say("uploading %s: %s", name, size(sent))
		}
	})
}

func activateCommand(a *app) *cobra.Command {
	var connect connection
	cmd := &cobra.Command{
		Use:   "activate NAME VERSION",
		Short: "Make a version the one that routes by name use",
		Long: `Make a version the one that routes by name use. When the command returns, every event
accepted from then on is under it. To roll back, activate the version before.`,
		Example: "  headgate plugin activate threshold 2",
		Args:    wants(2, 2, "the name of a plugin and the number of a version"),
	}
	connect.flags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		n, err := strconv.Atoi(strings.TrimPrefix(args[1], "v"))
		if err != nil || n < 1 {
			return usageError(fmt.Sprintf("version %q: want a number from 1, as 'headgate plugin list %s' shows", args[1], args[0]))
		}
		c, err := connect.client(a)
		if err != nil {
			return err
		}
		p, err := c.Activate(cmd.Context(), args[0], n, catalog.Precondition{})
		if err != nil {
			return fmt.Errorf("activate %s version %d: %w", args[0], n, err)
		}
		if connect.json {
			return printJSON(a.out, p)
		}
		fmt.Fprintf(a.out, "%s version %d is active\n", p.Name, p.Active)
		return nil
	}
	return cmd
}

func deletePluginCommand(a *app) *cobra.Command {
	var connect connection
	cmd := &cobra.Command{
		Use:   "delete NAME [VERSION]",
		Short: "Delete a plugin that no route uses, or one version of it",
		Args:  wants(1, 2, "the name of a plugin, and perhaps the number of a version"),
	}
	connect.flags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		version, what := 0, args[0]
		if len(args) == 2 {
			n, err := strconv.Atoi(strings.TrimPrefix(args[1], "v"))
			if err != nil || n < 1 {
				return usageError(fmt.Sprintf("version %q: want a number from 1", args[1]))
			}
			version, what = n, fmt.Sprintf("%s version %d", args[0], n)
		}
		c, err := connect.client(a)
		if err != nil {
			return err
		}
		if err := c.DeletePlugin(cmd.Context(), args[0], version, catalog.Precondition{}); err != nil {
			return fmt.Errorf("delete plugin %s: %w", what, err)
		}
		if !connect.json {
			fmt.Fprintf(a.out, "plugin %s deleted\n", what)
		}
		return nil
	}
	return cmd
}
