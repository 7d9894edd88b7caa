package blob_test

import (
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/headgate/headgate/gateway/sink"
	"github.com/headgate/headgate/gateway/sink/blob"
)

func TestSettings(t *testing.T) {
	const (
		uri = `"containerUri":"https://plant.blob.core.windows.net/twins"`
		by  = `{"container":"twins","connectionString":"`
	)
	tests := []struct {
		name, raw string
		want      string // "" when there is no fault
	}{
		{"identity", `{` + uri + `}`, ""},
		{"signature", `{"containerUri":"https://plant.blob.core.windows.net/twins/?sv=1&sig=s3cret"}`, ""},
		{"local signature", `{"containerUri":"http://127.0.0.1:10000/a/twins?sig=s3cret"}`, ""},
		{"key", by + `DefaultEndpointsProtocol=https;AccountName=plant;AccountKey=bm90IGEga2V5;EndpointSuffix=core.windows.net"}`, ""},
		{"local key", by + `AccountName=a;AccountKey=bm90IGEga2V5;BlobEndpoint=http://127.0.0.1:10000/a;"}`, ""},
		{"signature of an account", by + `BlobEndpoint=https://plant.blob.core.windows.net/;SharedAccessSignature=sv=1&sig=s3cret"}`, ""},
		{"everything", `{` + uri + `,"prefix":"lake/plant 1","maxBytes":1048576,"maxAge":"1m30s"}`, ""},
		{"nothing", `{}`, "settings.containerUri or connectionString is required"},
		{"both", `{` + uri + `,"connectionString":"x"}`, "settings.containerUri and connectionString exclude each other"},
		{"container beside a URI", `{` + uri + `,"container":"twins"}`, "settings.container belongs to connectionString"},
		{"no container", `{"connectionString":"AccountName=a;AccountKey=bm90IGEga2V5"}`, "settings.container is required"},
		{"capital container", `{"connectionString":"x","container":"Twins"}`, "settings.container must be 3 to 63 small letters"},
		{"no pairs", by + `s3cret"}`, "settings.connectionString must be Key=Value pairs"},
		{"no account", by + `AccountKey=czNjcmV0"}`, "settings.connectionString has neither AccountName nor BlobEndpoint"},
		{"no credential", by + `AccountName=plant"}`, "settings.connectionString has neither AccountName and AccountKey nor"},
		{"key that is none", by + `AccountName=plant;AccountKey=s3cret!"}`, "settings.connectionString has an AccountKey that is not base64"},
		{"endpoint that is none", by + `AccountName=plant;AccountKey=czNjcmV0;BlobEndpoint=plant"}`, "settings.connectionString must begin with https://"},
		{"no URL", `{"containerUri":"https://%zz?sig=s3cret"}`, "settings.containerUri is not a URL"},
		{"other scheme", `{"containerUri":"abfss://twins@plant"}`, "settings.containerUri must begin with https://"},
		{"no host", `{"containerUri":"https:///twins"}`, "settings.containerUri names no host"},
		{"user", `{"containerUri":"https://u:s3cret@plant/twins"}`, "settings.containerUri must be https://ACCOUNT"},
		{"account alone", `{"containerUri":"https://plant.blob.core.windows.net/"}`, "settings.containerUri names no container"},
		{"query that signs nothing", `{"containerUri":"https://plant.blob.core.windows.net/twins?sv=1"}`, "settings.containerUri has a query that is no shared access signature"},
		{"token over plain HTTP", `{"containerUri":"http://127.0.0.1/a/twins"}`, "settings.containerUri needs https:// or a shared access signature"},
		{"prefix with a slash", `{` + uri + `,"prefix":"/lake"}`, "settings.prefix must be names of directories"},
		{"prefix that climbs", `{` + uri + `,"prefix":"lake/.."}`, "settings.prefix must be names of directories"},
		{"prefix that is long", `{` + uri + `,"prefix":"` + strings.Repeat("x", 501) + `"}`, "settings.prefix is longer than 500 bytes"},
		{"small files", `{` + uri + `,"maxBytes":1000}`, "settings.maxBytes must be a whole number from 1048576 to 268435456"},
		{"negative age", `{` + uri + `,"maxAge":"-1s"}`, "settings.maxAge must be a duration"},
		{"age of an hour", `{` + uri + `,"maxAge":"1h"}`, "settings.maxAge must be a duration"},
		{"unknown", `{` + uri + `,"accountKey":"s3cret"}`, "settings.accountKey is unknown"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := blob.Kind().Validate(json.RawMessage(tt.raw))
			var fault *sink.SettingError
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("error = %v", err)
			case tt.want != "" && (!errors.As(err, &fault) || !strings.HasPrefix(err.Error(), tt.want) || strings.Contains(err.Error(), "s3cret")):
				t.Errorf("error = %v, want %s", err, tt.want)
			}
		})
	}
}

// FuzzConnectionString opens a sink by whatever text: without a panic, and
// without an error that tells it.
func FuzzConnectionString(f *testing.F) {
	f.Add("AccountName=a;AccountKey=bm90IGEga2V5;BlobEndpoint=http://127.0.0.1:10000/a;")
	f.Add("BlobEndpoint=https://h/?x;SharedAccessSignature=?sig=1")
	f.Add("UseDevelopmentStorage=true")
	f.Fuzz(func(t *testing.T, text string) {
		raw, err := json.Marshal(map[string]string{"connectionString": text, "container": "twins"})
		if err != nil {
			t.Skip()
		}
		s, err := blob.New(raw, blob.Options{})
		if err == nil {
			err = s.Close()
		}
		if err != nil && len(text) > 40 && strings.Contains(err.Error(), text) {
			t.Errorf("%q tells %q", err, text)
		}
		if unescaped, bad := url.QueryUnescape(text); bad == nil && err != nil && len(text) > 40 && strings.Contains(err.Error(), unescaped) {
			t.Errorf("%q tells %q", err, unescaped)
		}
	})
}
