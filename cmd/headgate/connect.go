package main

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/headgate/headgate/gateway/client"
	"github.com/headgate/headgate/gateway/config"
)

const defaultServer = "http://127.0.0.1:8080"

// connection is how a command reaches its server, and how it answers.
type connection struct {
	server, token, tokenFile, caFile string
	json                             bool
}

func (c *connection) flags(flags *pflag.FlagSet) {
	flags.SortFlags = false // a command's own come first
	flags.StringVar(&c.server, "server", "", "`URL` of the server (HEADGATE_SERVER; default "+defaultServer+")")
	flags.StringVar(&c.token, "token", "", "`TOKEN` of the server; better by HEADGATE_TOKEN or a file, which no process list shows")
	flags.StringVar(&c.tokenFile, "token-file", "", "`FILE` that holds the token (HEADGATE_TOKEN_FILE)")
	flags.StringVar(&c.caFile, "ca-file", "", "PEM `FILE` of the authority that signed the server's certificate (HEADGATE_CA_FILE)")
	flags.BoolVar(&c.json, "json", false, "write JSON")
}

// client returns a client for the server that flags and environment name.
func (c connection) client(a *app) (*client.Client, error) {
	env := func(name string) string {
		v, _ := a.env(config.EnvName(name))
		return v
	}
	token, err := c.readToken(env)
	if err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if file := cmp.Or(c.caFile, env("ca-file")); file != "" {
		pem, err := os.ReadFile(file)
		if err != nil {
			return nil, usageError("--ca-file: " + err.Error())
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, usageError("--ca-file: " + file + " holds no certificate in PEM form")
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	cl, err := client.New(cmp.Or(c.server, env("server"), defaultServer), client.Options{
		Token: token, HTTP: &http.Client{Transport: transport},
	})
	if err != nil {
		return nil, usageError(err.Error())
	}
	return cl, nil
}

// readToken takes the token from the flags, else from the environment.
func (c connection) readToken(env func(string) string) (string, error) {
	if c.token != "" && c.tokenFile != "" {
		return "", usageError("give --token or --token-file, not both")
	}
	file := c.tokenFile
	if c.token == "" && file == "" {
		if token := env("token"); token != "" {
			return token, nil
		}
		file = env("token-file")
	}
	if file == "" {
		return c.token, nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return "", usageError("--token-file: " + err.Error())
	}
	token := strings.TrimSpace(string(b))
	if token == "" {
		return "", usageError(fmt.Sprintf("--token-file: %s is empty", file))
	}
	return token, nil
}
