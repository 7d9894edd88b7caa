package main

import (
	"cmp"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/headgate/headgate/gateway/config"
	"github.com/headgate/headgate/gateway/telemetry"
)

const serveHelp = `Serve a gateway until it is told to stop.

It prints one line, "listening on URL", when it is ready. SIGTERM or SIGINT makes
it stop accepting, finish the deliveries under way, and exit with status 0; a
second signal ends it at once. Nothing that was accepted is lost either way.

Every flag is also a key of the --config file and an environment variable:
--listen is "listen:" and HEADGATE_LISTEN. A flag wins over the environment, which
wins over the file. The token itself is taken from a file or from HEADGATE_TOKEN.`

const serveExample = `  headgate serve
  headgate serve --data /var/lib/headgate --journal-max-size 50GiB
  headgate serve --listen 0.0.0.0:8443 --tls-cert tls.crt --tls-key tls.key --token-file token`

func serveCommand(a *app) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:     "serve",
		Short:   "Serve a gateway",
		Long:    serveHelp,
		Example: serveExample,
		Args:    cobra.NoArgs,
	}
	addSettings(cmd.Flags())
	cmd.Flags().StringVar(&file, "config", "", "YAML `FILE` of settings (HEADGATE_CONFIG)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		fromEnv, _ := a.env(config.EnvName("config"))
		cfg, err := config.Load(config.Sources{File: cmp.Or(file, fromEnv), Env: a.env, Flags: given(cmd.Flags())})
		if err != nil {
			return err
		}
		cfg.Version = versionText()
		log := telemetry.NewLogger(a.err, cfg.LogLevel, cfg.LogFormat)
		for _, w := range cfg.Warnings {
			log.Warn(w)
		}
		return a.serve(cmd.Context(), cfg, a.out, log)
	}
	return cmd
}

// addSettings registers the settings of the server as flags.
func addSettings(flags *pflag.FlagSet) {
	flags.SortFlags = false
	for _, s := range config.Settings() {
		if !s.EnvOnly {
			flags.Var(&settingFlag{kind: s.Kind, text: s.Default}, s.Name, s.Usage)
		}
	}
}

// given returns the flags that the command line sets, by name.
func given(flags *pflag.FlagSet) map[string]string {
	out := map[string]string{}
	flags.Visit(func(f *pflag.Flag) { out[f.Name] = f.Value.String() })
	return out
}

// settingFlag keeps the text of a setting for [config.Load] to read.
type settingFlag struct{ kind, text string }

func (f *settingFlag) String() string     { return f.text }
func (f *settingFlag) Set(s string) error { f.text = s; return nil }
func (f *settingFlag) Type() string       { return f.kind }
