package ingress

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/problem"
	"github.com/headgate/headgate/sdk/json"
)

// topicVersion is the version of Event Grid's publishing API.
const topicVersion = "2018-01-01"

// gridTopic serves POST /api/events as an Event Grid custom topic does.
func (h *Handler) gridTopic(c echo.Context) error {
	if v := c.QueryParam("api-version"); v != topicVersion {
		detail := "add ?api-version=" + topicVersion + " to the path; that version is the one spoken here"
		p := problem.Problem{Status: http.StatusBadRequest, Detail: detail, Field: "api-version",
			Error: &problem.AzureError{Code: "BadRequest", Message: detail}}
		if v == "" {
			p.Error.Code = "MissingApiVersionParameter"
		} else {
			p.Error.Code = "UnsupportedApiVersion"
		}
		return h.write(c, p, 0)
	}
	m, err := modeOf(c.Request().Header, gridTypes)
	if err == nil {
		_, err = h.accept(c, m)
	}
	if err != nil {
		return h.refuseGrid(c, err)
	}
	return c.NoContent(http.StatusOK)
}

// gridWebhook serves POST /webhooks/eventgrid: the deliveries of an event
// subscription, and the validation that precedes them.
func (h *Handler) gridWebhook(c echo.Context) error {
	r := c.Request()
	kind := strings.ToLower(r.Header.Get("Aeg-Event-Type"))
	switch kind {
	case "subscriptiondeletion":
		return c.NoContent(http.StatusOK)
	case "", "notification", "subscriptionvalidation":
	default:
		return h.refuseGrid(c, &event.FieldError{Index: -1, Field: "aeg-event-type",
			Reason: "must be Notification, SubscriptionValidation or SubscriptionDeletion"})
	}
	m, err := modeOf(r.Header, gridTypes)
	if err != nil {
		return h.refuseGrid(c, err)
	}
	body, err := h.pending.read(c.Response(), r)
	if err != nil {
		return h.refuseGrid(c, err)
	}
	defer h.pending.release(body)
	events, err := decode(m, r, body.bytes)
	if err != nil {
		return h.refuseGrid(c, err)
	}
	if len(events) == 1 && events[0].Type == validationEvent {
		return h.answerValidation(c, events[0])
	}
	if kind == "subscriptionvalidation" {
		return h.refuseGrid(c, &event.FieldError{Index: -1, Reason: "must be one, of the type " + validationEvent + ", in a request with aeg-event-type: SubscriptionValidation"})
	}
	if m == gridMode {
		for i := range events {
			events[i] = event.UnwrapTwins(events[i])
		}
	}
	if _, err := h.append(r.Context(), events); err != nil {
		return h.refuseGrid(c, err)
	}
	return c.NoContent(http.StatusOK)
}

// validationEvent is the type of the event by which Event Grid asks whether
// this endpoint wants its deliveries.
const validationEvent = "Microsoft.EventGrid.SubscriptionValidationEvent"

// answerValidation echoes the code of a validation event.
func (h *Handler) answerValidation(c echo.Context, e event.Event) error {
	data, err := json.Parse(e.Data)
	if err == nil {
		if code, ok := data.Get("validationCode"); ok && code.Kind() == json.String && len(code) > len(`""`) {
			answer := append([]byte(`{"validationResponse":`), code...)
			return c.JSONBlob(http.StatusOK, append(answer, '}'))
		}
	}
	return h.refuseGrid(c, &event.FieldError{Index: 0, Field: "data", Reason: "must hold the string validationCode"})
}

// gridHandshake serves OPTIONS /webhooks/eventgrid: the abuse protection of the
// CloudEvents webhook specification. Who may ask is the lock's decision, so
// every origin that gets here is welcome, at any rate.
func (h *Handler) gridHandshake(c echo.Context) error {
	header := c.Response().Header()
	header.Set("Allow", "POST, OPTIONS")
	if origin := c.Request().Header.Get("WebHook-Request-Origin"); origin != "" {
		header.Set("WebHook-Allowed-Origin", origin)
		header.Set("WebHook-Allowed-Rate", "*")
	}
	return c.NoContent(http.StatusOK)
}

// refuseGrid is refuse with the member in which Azure's clients look for a code.
func (h *Handler) refuseGrid(c echo.Context, err error) error {
	p, wait := h.problemOf(c.Request(), err)
	p.Error = &problem.AzureError{Code: strings.ReplaceAll(http.StatusText(p.Status), " ", ""), Message: p.Detail}
	return h.write(c, p, wait)
}
