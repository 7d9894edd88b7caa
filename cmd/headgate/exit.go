package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"github.com/headgate/headgate/gateway/client"
	"github.com/headgate/headgate/gateway/config"
)

// The exit statuses; rootHelp documents them.
const (
	exitDone = iota
	exitFailed
	exitUsage
	exitUnreachable
	exitRefused

	// exitDifference is what "headgate plan" ends with that found one, as other
	// tools do whose plans are read by a pipeline.
	exitDifference = 2
)

// usageError is a fault of the command line that its syntax does not show.
type usageError string

func (e usageError) Error() string { return string(e) }

// exit reports err to the user and returns the status that stands for it.
func (a *app) exit(cmd *cobra.Command, err error) int {
	if err == nil {
		return exitDone
	}
	if errors.Is(err, errDifference) {
		return exitDifference
	}
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintf(a.err, "headgate: %s\n", strings.TrimRight(line, "\n"))
	}
	status, hint := a.judge(cmd, err)
	if status == exitUsage && cmd.Annotations[annotationDifference] != "" {
		status = exitFailed // what else would be read as a difference
	}
	if hint != "" {
		fmt.Fprintln(a.err, hint)
	}
	return status
}

// judge returns the status that stands for err, and what to try.
func (a *app) judge(cmd *cobra.Command, err error) (status int, hint string) {
	var (
		misused usageError
		setting *config.FieldError
		problem *client.Problem
		network *net.OpError // not net.Error, which a missing file is too
	)
	switch {
	case !a.started, errors.As(err, &misused):
		return exitUsage, fmt.Sprintf("Run '%s --help' for its usage.", cmd.CommandPath())
	case errors.As(err, &setting):
		return exitUsage, ""
	case errors.As(err, &problem):
		return judgeProblem(problem)
	case errors.As(err, &network) && network.Op != "listen":
		return exitUnreachable, "Is the server running? Start one with 'headgate serve', or name another with --server or HEADGATE_SERVER."
	}
	return exitFailed, ""
}

func judgeProblem(p *client.Problem) (status int, hint string) {
	switch {
	case p.Status == http.StatusUnauthorized:
		return exitRefused, "Give the server's token with --token-file or HEADGATE_TOKEN."
	case p.Status == http.StatusTooManyRequests, p.Status == http.StatusServiceUnavailable:
		return exitUnreachable, ""
	case p.Status/100 == 4:
		return exitRefused, ""
	}
	return exitFailed, ""
}
