package emulator

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"
)

// Service names one of what an emulator serves.
type Service string

// The services.
const (
	ServiceBus Service = "serviceBus"
	EventHubs  Service = "eventHubs"
	EventGrid  Service = "eventGrid"
	// Control is the HTTP API of the emulator itself.
	Control Service = "control"
)

// Flag is the flag that gives the address of s: service-bus, …
func (s Service) Flag() string {
	switch s {
	case ServiceBus:
		return "service-bus"
	case EventHubs:
		return "event-hubs"
	case EventGrid:
		return "event-grid"
	}
	return string(s)
}

// OptionError says which option is wrong, and what to do.
type OptionError struct{ Option, Reason string }

func (e *OptionError) Error() string { return e.Option + ": " + e.Reason }

// check refuses options that cannot be meant.
func (o Options) check() error {
	served := false
	for _, a := range []struct {
		service Service
		address string
	}{{ServiceBus, o.ServiceBus}, {EventHubs, o.EventHubs}, {EventGrid, o.EventGrid}, {Control, o.Control}} {
		if a.address == "" {
			continue
		}
		served = served || a.service != Control
		host, _, err := net.SplitHostPort(a.address)
		if err != nil {
			return &OptionError{"--" + a.service.Flag() + " " + a.address, "want HOST:PORT, such as 127.0.0.1:0, or nothing to leave it out"}
		}
		if !o.AllowRemote && !loopback(host) {
			return &OptionError{"--" + a.service.Flag() + " " + a.address,
				"other machines could reach this address, and nothing asks them who they are; name one of 127.0.0.1, or add --allow-remote"}
		}
	}
	if !served {
		return &OptionError{"--service-bus, --event-hubs, --event-grid", "there is nothing to serve; give one of them an address"}
	}
	if !(o.Fast >= 0 && o.Fast <= 1e6) {
		return &OptionError{fmt.Sprintf("--fast %v", o.Fast), "want a number above 0, and at most 1000000"}
	}
	return nil
}

// hosts are those that the certificate is for, besides loopback.
func (o Options) hosts() []string {
	var hosts []string
	for _, address := range []string{o.ServiceBus, o.EventHubs, o.EventGrid} {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			continue
		}
		if ip := net.ParseIP(host); host != "" && (ip == nil || !ip.IsUnspecified()) {
			hosts = append(hosts, host)
			continue
		}
		if name, err := os.Hostname(); err == nil {
			hosts = append(hosts, name)
		}
		addresses, _ := net.InterfaceAddrs() // without them the certificate is for fewer
		for _, a := range addresses {
			if network, ok := a.(*net.IPNet); ok {
				hosts = append(hosts, network.IP.String())
			}
		}
	}
	return hosts
}

// loopback tells whether a host, without a port, can only be this machine.
func loopback(host string) bool {
	if host = strings.TrimSuffix(strings.ToLower(host), "."); host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// listenError says what to do when the address of s cannot be had.
func listenError(s Service, err error) error {
	var network *net.OpError
	if !errors.As(err, &network) {
		return err
	}
	flag := "--" + s.Flag()
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s: %w; stop what uses it, name another address, or leave the service out with %[1]s \"\"", flag, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s: %w; ports below 1024 are often for root alone: name another", flag, err)
	}
	return fmt.Errorf("%s: %w; name an address of this machine", flag, err)
}
