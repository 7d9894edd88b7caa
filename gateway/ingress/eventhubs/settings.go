package eventhubs

import (
	"encoding/json"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/headgate/headgate/gateway/ingress/pull"
)

type settings struct {
	pull.Target
	group    string
	latest   bool // begin with what comes, where there is no checkpoint
	maxBatch int
	prefetch int
	wrap     pull.Wrap

	// Where checkpoints are shared; empty for the gateway's own store.
	containerURI, connection, container string
}

// Bounds of settings.
const (
	usualBatch, mostBatch       = 512, 4096
	usualPrefetch, mostPrefetch = 1024, 5000
)

func validate(raw json.RawMessage) error {
	set, err := parse(raw)
	if err != nil {
		return err
	}
	return set.Check()
}

func parse(raw json.RawMessage) (settings, error) {
	in := pull.ReadSettings(raw)
	s := settings{Target: pull.ReadTarget(in)}
	s.Right = "Azure Event Hubs Data Receiver"
	if s.Entity == "" {
		in.Refuse("entityPath", "is required, unless the connectionString ends in ;EntityPath=…")
	}
	pull.CheckEntity(in, "entityPath", s.Entity)
	if strings.Contains(s.Entity, "/") {
		in.Refuse("entityPath", "must be the name of an event hub alone; the consumer group is a setting of its own")
	}
	if s.group = in.Text("consumerGroup"); s.group == "" {
		s.group = "$Default"
	}
	if strings.ContainsAny(s.group, "/ \t\r\n") || len(s.group) > 256 {
		in.Refuse("consumerGroup", "is not the name of a consumer group")
	}
	s.latest = in.OneOf("start", "earliest", "latest") == "latest"
	s.maxBatch = in.Integer("maxBatch", usualBatch, 1, mostBatch)
	s.prefetch = in.Integer("prefetch", usualPrefetch, 1, mostPrefetch)
	s.readContainer(in)
	s.wrap = pull.ReadWrap(in, pull.Wrap{
		Type: "headgate.eventhubs.message", Source: s.Origin(), Subject: "$partitionKey", ID: "$messageId|$sequenceNumber",
	})
	return s, in.Err()
}

// readContainer reads where checkpoints are shared, if they are.
func (s *settings) readContainer(in *pull.Settings) {
	s.containerURI, s.connection, s.container = in.Text("checkpointContainerUri"), in.Text("checkpointConnectionString"), in.Text("checkpointContainer")
	switch {
	case s.containerURI != "" && s.connection != "":
		in.Refuse("checkpointContainerUri", "and checkpointConnectionString exclude each other")
	case s.connection != "":
		if s.container == "" || strings.ContainsAny(s.container, "/?#% ") {
			in.Refuse("checkpointContainer", "must be the name of the container, which a connection string does not have")
		} else if _, err := container.NewClientFromConnectionString(s.connection, s.container, nil); err != nil {
			in.Refuse("checkpointConnectionString", "is not the connection string of a storage account; copy it whole from its access keys")
		}
		for part := range strings.SplitSeq(s.connection, ";") {
			if name, value, _ := strings.Cut(part, "="); strings.EqualFold(name, "AccountKey") || strings.EqualFold(name, "SharedAccessSignature") {
				s.Hide(value)
			}
		}
	case s.container != "":
		in.Refuse("checkpointContainer", "belongs to checkpointConnectionString; a checkpointContainerUri names its container itself")
	case s.containerURI != "":
		u, err := url.Parse(s.containerURI)
		signed := err == nil && u.Query().Get("sig") != ""
		if err != nil || u.Hostname() == "" || u.User != nil || strings.Trim(u.Path, "/") == "" || u.Scheme != "https" && (u.Scheme != "http" || !signed) {
			in.Refuse("checkpointContainerUri", "must be like https://ACCOUNT.blob.core.windows.net/CONTAINER, with a shared access signature behind it or without")
			return
		}
		if signed {
			s.Hide(u.Query().Get("sig"), url.QueryEscape(u.Query().Get("sig")))
		}
	}
}

// shared reports whether checkpoints are in a container.
func (s *settings) shared() bool { return s.containerURI != "" || s.connection != "" }

// open returns a client of the container of checkpoints.
func (s *settings) open(o Options) (*container.Client, error) {
	if s.connection != "" {
		return container.NewClientFromConnectionString(s.connection, s.container, nil)
	}
	if strings.Contains(s.containerURI, "?") {
		return container.NewClientWithNoCredential(s.containerURI, nil)
	}
	identity, err := o.Identity()
	if err != nil {
		return nil, err
	}
	return container.NewClient(s.containerURI, identity, nil)
}
