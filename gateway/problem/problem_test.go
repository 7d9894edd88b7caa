package problem_test

import (
	"net/http/httptest"
	"testing"

	"github.com/headgate/headgate/gateway/problem"
)

func TestProblemWrite(t *testing.T) {
	index := 0
	tests := []struct {
		name string
		in   problem.Problem
		want string
	}{
		{"status alone", problem.Problem{Status: 404}, `{"type":"about:blank","title":"Not Found","status":404}`},
		{"everything", problem.Problem{
			Status: 400, Title: "Bad event", Detail: "subject: must be a string", Index: &index, Field: "subject", ID: "7f",
			Error: &problem.AzureError{Code: "BadRequest", Message: "m"},
		}, `{"type":"about:blank","title":"Bad event","status":400,"detail":"subject: must be a string","index":0,"field":"subject","id":"7f","error":{"code":"BadRequest","message":"m"}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rec := httptest.NewRecorder()
			if err := tt.in.Write(rec); err != nil {
				t.Fatal(err)
			}
			if got := rec.Body.String(); got != tt.want+"\n" {
				t.Errorf("body\n got %s\nwant %s", got, tt.want)
			}
			if rec.Code != tt.in.Status || rec.Header().Get("Content-Type") != problem.MediaType {
				t.Errorf("status %d, content type %q", rec.Code, rec.Header().Get("Content-Type"))
			}
		})
	}
}
