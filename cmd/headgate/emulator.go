package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/headgate/headgate/gateway/emulator"
)

const emulatorHelp = `Serve a local Service Bus, Event Hubs and Event Grid, in memory, until told to stop.

Microsoft's SDKs speak to it as they are. For each service it prints a line with what
they are configured with, and then "ready"; an address that is not given has a free
port where the usual one is taken. Queues, topics, sessions and hubs are
declared in a file, or made on first use. The ports of Service Bus and Event Hubs take
TLS too; Event Grid takes nothing else. Every key is good unless the file names one.

The control API lists what lies in every entity (GET /entities) and lets things go
wrong: throttling, cut connections, lost locks and more (POST, GET, DELETE /faults).
docs/emulator.md describes all of it. SIGTERM or SIGINT ends it with status 0.`

const emulatorExample = `  headgate emulator
  headgate emulator --file emulator.yaml --cert-file emulator.pem
  headgate emulator --service-bus 127.0.0.1:0 --event-hubs "" --event-grid "" --control ""
  curl -d '{"service":"serviceBus","kind":"server-busy","times":20}' http://127.0.0.1:8081/faults`

func emulatorCommand(a *app) *cobra.Command {
	var o emulator.Options
	var file string
	cmd := &cobra.Command{
		Use:     "emulator",
		Short:   "Serve a local Service Bus, Event Hubs and Event Grid",
		Long:    emulatorHelp,
		Example: emulatorExample,
		Args:    cobra.NoArgs,
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&o.ServiceBus, "service-bus", "127.0.0.1:5672", "`HOST:PORT` of Service Bus; port 0 takes a free one, \"\" leaves it out")
	flags.StringVar(&o.EventHubs, "event-hubs", "127.0.0.1:5673", "`HOST:PORT` of Event Hubs")
	flags.StringVar(&o.EventGrid, "event-grid", "127.0.0.1:8443", "`HOST:PORT` of Event Grid, by HTTPS")
	flags.StringVar(&o.Control, "control", "127.0.0.1:8081", "`HOST:PORT` of the control API")
	flags.StringVar(&file, "file", "", "YAML `FILE` that declares entities (\"-\" is standard input)")
	flags.StringVar(&o.CertFile, "cert-file", "", "write the certificate that clients must trust to `FILE`")
	flags.Float64Var(&o.Fast, "fast", 1, "make Event Grid's waits `N` times shorter")
	flags.BoolVar(&o.AllowRemote, "allow-remote", false, "permit addresses that other machines can reach")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if !(o.Fast > 0) {
			return usageError("--fast must be above 0")
		}
		if file != "" {
			var err error
			if o.Declared, err = a.readDeclared(file); err != nil {
				return err
			}
		}
		for name, address := range map[string]*string{"service-bus": &o.ServiceBus, "event-hubs": &o.EventHubs, "event-grid": &o.EventGrid, "control": &o.Control} {
			if !flags.Changed(name) {
				*address = freeAddress(*address)
			}
		}
		err := emulator.Run(cmd.Context(), o, a.out)
		if misused := (*emulator.OptionError)(nil); errors.As(err, &misused) {
			return usageError(err.Error())
		}
		return err
	}
	return cmd
}

// readDeclared reads a file that declares the emulator's entities.
func (a *app) readDeclared(name string) (emulator.Declared, error) {
	f, err := a.open(name)
	if err != nil {
		return emulator.Declared{}, usageError("--file: " + err.Error())
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, emulator.MaxFileBytes+1))
	if err != nil {
		return emulator.Declared{}, usageError("--file " + name + ": " + err.Error())
	}
	d, err := emulator.Parse(text)
	if err != nil {
		var b strings.Builder
		for line := range strings.Lines(err.Error()) {
			fmt.Fprintf(&b, "--file %s: %s", name, line)
		}
		return emulator.Declared{}, usageError(b.String())
	}
	return d, nil
}
