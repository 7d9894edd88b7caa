package adt

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/headgate/headgate/gateway/catalog"
)

// endpointVersions are the versions of the control plane that have the same
// endpoints.
var endpointVersions = []string{
	"2020-10-31", "2020-12-01", "2021-06-30-preview", "2022-05-31", "2022-10-31", "2023-01-31",
}

// Codes of errors of endpoints, as Azure Resource Manager has them for any
// resource; what Azure Digital Twins adds is not published.
const (
	codeARMVersion  = "InvalidApiVersionParameter"
	codeARMPath     = "InvalidResourceType"
	codeARMName     = "InvalidResourceName"
	codeARMMissing  = "ResourceNotFound"
	codeARMContent  = "InvalidRequestContent"
	codeARMInvalid  = "ValidationFailed"
	codeARMConstant = "PropertyChangeNotAllowed"
)

const (
	provider     = "Microsoft.DigitalTwins"
	instanceType = "digitalTwinsInstances"
	resourceType = provider + "/" + instanceType + "/endpoints"
)

// instance is the path of an instance of Azure Digital Twins. The gateway is one
// instance, under any name: what a client calls it comes back as it was sent.
type instance struct{ subscription, group, name string }

// id is that of an endpoint of the instance.
func (i instance) id(endpoint string) string {
	return "/subscriptions/" + i.subscription + "/resourcegroups/" + i.group + "/providers/" + provider + "/" + instanceType + "/" + i.name + "/endpoints/" + endpoint
}

func (s *Server) serveARM(r *http.Request) (reply, error) {
	path, err := segments(r)
	if err != nil {
		return reply{}, err
	}
	endpoints := []string{"subscriptions", "", "resourceGroups", "", "providers", provider, instanceType, "", "endpoints"}
	operation := []string{"subscriptions", "", "providers", provider, "locations", ""}
	var handle func() (reply, error)
	switch {
	case match(path, endpoints...):
		in := instance{path[1], path[3], path[7]}
		handle = func() (reply, error) { return s.listEndpoints(r, in) }
	case match(path, append(endpoints, "")...):
		in := instance{path[1], path[3], path[7]}
		handle = func() (reply, error) { return s.serveEndpoint(r, in, path[9]) }
	case match(path, append(operation, "operationStatuses", "")...):
		handle = func() (reply, error) { return s.operationStatus(r, path[7]) }
	case match(path, append(operation, "operationResults", "")...):
		handle = func() (reply, error) { return s.operationResult(r, path[7]) }
	default:
		return reply{}, refuse(http.StatusNotFound, codeARMPath,
			"Of Azure Resource Manager only the endpoints of an instance are served here: /subscriptions/{id}/resourceGroups/{name}/providers/"+provider+"/"+instanceType+"/{name}/endpoints[/{name}].")
	}
	if _, err := checkVersion(r, endpointVersions, codeARMVersion); err != nil {
		return reply{}, err
	}
	return handle()
}

// match compares path with pattern without regard to case; an empty part of the
// pattern is any but the empty one.
func match(path []string, pattern ...string) bool {
	if len(path) != len(pattern) {
		return false
	}
	for i, want := range pattern {
		if want == "" && path[i] == "" || want != "" && !strings.EqualFold(path[i], want) {
			return false
		}
	}
	return true
}

func (s *Server) serveEndpoint(r *http.Request, in instance, name string) (reply, error) {
	switch r.Method {
	case http.MethodGet:
		e, err := s.endpoint(in, name)
		if err != nil {
			return reply{}, err
		}
		return reply{status: http.StatusOK, body: in.resource(e, succeeded)}, nil
	case http.MethodPut:
		return s.putEndpoint(r, in, name)
	case http.MethodDelete:
		return s.deleteEndpoint(r, in, name)
	}
	return reply{}, notAllowed(r, "GET, PUT, DELETE")
}

// The states of a resource that are answered here.
const (
	provisioning = "Provisioning"
	succeeded    = "Succeeded"
	deleting     = "Deleting"
)

// resource is an endpoint as Azure Resource Manager shows it.
type resource struct {
	ID         string         `json:"id"`
	Name       string         `json:"name"`
	Type       string         `json:"type"`
	Properties map[string]any `json:"properties"`
	SystemData systemData     `json:"systemData"`
}

type systemData struct {
	CreatedAt      time.Time `json:"createdAt,omitzero"`
	LastModifiedAt time.Time `json:"lastModifiedAt,omitzero"`
}

// resource shows e, which is of one of Azure's kinds.
func (i instance) resource(e catalog.Endpoint, state string) resource {
	return resource{
		ID: i.id(e.Name), Name: e.Name, Type: resourceType, Properties: properties(e, state),
		SystemData: systemData{CreatedAt: e.CreatedAt.UTC(), LastModifiedAt: e.UpdatedAt.UTC()},
	}
}

// endpoint returns an endpoint of one of Azure's kinds. Another is not there.
func (s *Server) endpoint(in instance, name string) (catalog.Endpoint, error) {
	snap := s.Catalog.Snapshot()
	e, ok := snap.Endpoint(name)
	if !ok || !ofAzure(e) {
		return e, refuse(http.StatusNotFound, codeARMMissing, fmt.Sprintf("The Resource '%s/%s/%s/endpoints/%s' under resource group '%s' was not found.",
			provider, instanceType, in.name, name, in.group))
	}
	return e, nil
}

func (s *Server) listEndpoints(r *http.Request, in instance) (reply, error) {
	if r.Method != http.MethodGet {
		return reply{}, notAllowed(r, "GET")
	}
	at := cursor{Items: usualItems}
	query := r.URL.Query()
	if token := query.Get("$skiptoken"); token != "" {
		var err error
		if at, err = parseCursor(token); err != nil {
			return reply{}, err
		}
	}
	snap := s.Catalog.Snapshot()
	endpoints, next := pageOf(snap.Endpoints, at, ofAzure)
	page := struct {
		Value    []resource `json:"value"`
		NextLink *string    `json:"nextLink"`
	}{Value: make([]resource, len(endpoints))}
	for i, e := range endpoints {
		page.Value[i] = in.resource(e, succeeded)
	}
	if next != nil {
		link := absolute(r, r.URL.Path, url.Values{"$skiptoken": {next.token()}, "api-version": {query.Get("api-version")}})
		page.NextLink = &link
	}
	return reply{status: http.StatusOK, body: page}, nil
}

// The names that may be given. The published pattern for endpoints takes 50
// characters, the text beside it 49.
var (
	endpointName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9-]{1,47}[a-zA-Z0-9]$`)
	allDigits    = regexp.MustCompile(`^[0-9]+$`)
	instanceName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9-]{1,61}[a-zA-Z0-9]$`)
)

func (s *Server) putEndpoint(r *http.Request, in instance, name string) (reply, error) {
	if !instanceName.MatchString(in.name) {
		return reply{}, refuse(http.StatusBadRequest, codeARMName,
			fmt.Sprintf("The instance name '%s' is invalid: use 3 to 63 letters, digits and hyphens, and neither begin nor end with a hyphen.", in.name))
	}
	if !endpointName.MatchString(name) || allDigits.MatchString(name) {
		return reply{}, refuse(http.StatusBadRequest, codeARMName,
			fmt.Sprintf("The endpoint name '%s' is invalid: use 3 to 49 letters, digits and hyphens, not digits alone, and neither begin nor end with a hyphen.", name))
	}
	body, err := readBody(r)
	if err != nil {
		return reply{}, err
	}
	sent, err := decodeEndpoint(body)
	if err != nil {
		return reply{}, contentFault(err)
	}
	began := time.Now()
	stored, created, err := s.storeEndpoint(r.Context(), s.change(r), name, sent)
	if err != nil {
		return reply{}, sent.settingFault(err)
	}
	out := reply{status: http.StatusOK, body: in.resource(stored, succeeded)}
	if created {
		// It is in force already. The service's clients expect this state all the
		// same, and learn from the operation, which the headers name, that it is done.
		shown := in.resource(stored, provisioning)
		sent.kind.blank(shown.Properties)
		out = reply{status: http.StatusCreated, body: shown}
	}
	out.header = s.operations.done(r, in.subscription, operation{in: in, endpoint: name, began: began, ended: time.Now()})
	return out, nil
}

// contentFault gives a fault of the body's form its code.
func contentFault(err error) error {
	var field *catalog.FieldError
	if !errors.As(err, &field) {
		return err
	}
	return refuse(http.StatusBadRequest, codeARMContent, sentence(field.Error()))
}

// storeEndpoint puts what was sent over what is there, of which it keeps what
// Azure Resource Manager cannot say: how deliveries are tried, a pause, other
// settings.
func (s *Server) storeEndpoint(ctx context.Context, by Change, name string, sent sentEndpoint) (stored catalog.Endpoint, created bool, err error) {
	err = retry(ctx, func() error {
		snap := s.Catalog.Snapshot()
		old, exists := snap.Endpoint(name)
		by.If = unchanged(exists, old.Revision)
		next := catalog.Endpoint{Name: name, Kind: sent.kind.kind, Delivery: catalog.DefaultDelivery()}
		if exists {
			if err := sent.replaces(old); err != nil {
				return err
			}
			next.Delivery, next.Paused = old.Delivery, old.Paused
		}
		if next.Settings, err = sent.over(old.Settings); err != nil {
			return err
		}
		stored, created, err = s.Endpoints.PutEndpoint(ctx, by, next)
		return err
	})
	return stored, created, err
}

func (s *Server) deleteEndpoint(r *http.Request, in instance, name string) (reply, error) {
	nothing := reply{status: http.StatusNoContent}
	began := time.Now()
	var old catalog.Endpoint
	err := retry(r.Context(), func() error {
		var err error
		if old, err = s.endpoint(in, name); err != nil {
			return catalog.ErrNotFound
		}
		by := s.change(r)
		by.If = unchanged(true, old.Revision)
		return s.Endpoints.DeleteEndpoint(r.Context(), by, name)
	})
	if errors.Is(err, catalog.ErrNotFound) {
		return nothing, nil
	}
	if err != nil {
		return reply{}, err
	}
	return reply{
		status: http.StatusAccepted,
		header: s.operations.done(r, in.subscription, operation{in: in, endpoint: name, deleted: true, began: began, ended: time.Now()}),
		body:   in.resource(old, deleting),
	}, nil
}
