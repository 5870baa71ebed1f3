package msgraph_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
)

// failing answers as told, n times, and then a page without users.
func failing(n int, status int, retryAfter string) *fake {
	graph := new(fake)
	graph.answer = func(*http.Request) (*http.Response, error) {
		switch {
		case graph.requests() > n:
			return response(http.StatusOK, pageOf("")), nil
		case status == 0:
			return nil, io.ErrUnexpectedEOF
		}
		resp := response(status, `{"error":{"code":"Some_Code"}}`)
		resp.Header.Set("Retry-After", retryAfter)
		return resp, nil
	}
	return graph
}

// What only reads is tried again while that helps, as far apart as Graph asks, and not
// beyond the caller's time.
func TestReadsAreTriedAgain(t *testing.T) {
	for name, tt := range map[string]struct {
		graph       *fake
		limit       time.Duration
		requests    int
		least, most time.Duration
		ok          bool
	}{
		"one 503":               {failing(1, 503, ""), time.Hour, 2, 250 * time.Millisecond, 500 * time.Millisecond, true},
		"three lost":            {failing(3, 0, ""), time.Hour, 4, 1750 * time.Millisecond, 3500 * time.Millisecond, true},
		"four 500":              {failing(4, 500, ""), time.Hour, 4, 1750 * time.Millisecond, 3500 * time.Millisecond, false},
		"asked to wait":         {failing(1, 429, "7"), time.Hour, 2, 7 * time.Second, 8 * time.Second, true},
		"asked for fractions":   {failing(1, 429, "2.128"), time.Hour, 2, 3 * time.Second, 4 * time.Second, true},
		"longer than there is":  {failing(1, 429, "30"), 20 * time.Second, 1, 0, 0, false},
		"longer than a quota's": {failing(1, 429, "3000"), 2 * time.Hour, 1, 0, 0, false},
		"refused":               {failing(1, 403, ""), time.Hour, 1, 0, 0, false},
		"not found":             {failing(1, 404, ""), time.Hour, 1, 0, 0, false},
		"expired":               {failing(1, 410, "1"), time.Hour, 1, 0, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), tt.limit)
				defer cancel()
				start := time.Now()
				_, err := clientOf(t, tt.graph).UserPage(ctx, "")
				if took := time.Since(start); (err == nil) != tt.ok || took < tt.least || took > tt.most || tt.graph.requests() != tt.requests {
					t.Errorf("%v after %s and %d requests, want %d", err, took, tt.graph.requests(), tt.requests)
				}
				if err != nil {
					graphError(t, err)
				}
			})
		})
	}
}

// A call that is given up meanwhile ends at once.
func TestWaitingEndsWithTheCaller(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		_, err := clientOf(t, failing(1, 429, "60")).Domains(ctx)
		if e := graphError(t, err); !e.Throttled() || time.Since(start) != time.Second {
			t.Errorf("%+v after %s", e, time.Since(start))
		}
	})
}

// A $batch that reads is tried again as a whole, but not for its parts: each of them is
// for the caller to ask again, and has the time that Graph asks to wait.
func TestPartsAreNotTriedAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph := new(fake)
		graph.answer = func(*http.Request) (*http.Response, error) {
			if graph.requests() == 1 {
				return response(http.StatusBadGateway, ""), nil
			}
			return response(http.StatusOK, batchOf(partOf(1, 200, userJSON(userID(0), "")), `{"id":"2","status":429,"headers":{"Retry-After":"60"},"body":{}}`)), nil
		}
		reads := mustRead(t, clientOf(t, graph), userIDs(2))
		if reads[0].Err != nil || graphError(t, reads[1].Err).RetryAfter != time.Minute || graph.requests() != 2 {
			t.Errorf("%+v after %d requests", reads, graph.requests())
		}
	})
}

const groupURL = `"url":"/groups/` + groupID + `?$select=id,visibility"`

// groups answers what CheckGroups asks with one part, and what MemberOf asks with others.
func groups(check string, members ...string) *fake {
	graph := new(fake)
	graph.answer = func(*http.Request) (*http.Response, error) {
		if strings.Contains(graph.bodies[len(graph.bodies)-1], groupURL) {
			return response(http.StatusOK, batchOf(check)), nil
		}
		return response(http.StatusOK, batchOf(members...)), nil
	}
	return graph
}

var fit = partOf(1, 200, `{"id":"`+groupID+`","visibility":null}`)

// The group and the membership are looked at each time.
func TestMemberOf(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph := groups(fit, partOf(2, 200, `{"value":[]}`), partOf(1, 200, `{"value":["`+strings.ToUpper(groupID)+`"]}`), partOf(3, 404, `{}`))
		client := clientOf(t, graph)
		for _, requests := range []int{2, 4} {
			got, err := client.MemberOf(t.Context(), userIDs(3), []string{groupID})
			if err != nil || graph.requests() != requests {
				t.Fatalf("%v after %d requests, want %d", err, graph.requests(), requests)
			}
			if len(got[0].Groups) != 1 || got[0].Groups[0] != groupID || len(got[1].Groups) != 0 || got[1].Err != nil || !graphError(t, got[2].Err).NotFound() {
				t.Errorf("memberships %+v", got)
			}
		}
		golden(t, "batch-members.golden.json", graph.bodies[1])
	})
}

// A group of which Graph would say that nobody is in it is an error for all, which says
// what to do.
func TestUnfitGroups(t *testing.T) {
	for name, tt := range map[string]struct{ part, says string }{
		"unknown":   {partOf(1, 404, `{"error":{"code":"Request_ResourceNotFound"}}`), "correct its object id in ExcludedGroups"},
		"hidden":    {partOf(1, 200, `{"id":"`+groupID+`","visibility":"HiddenMembership"}`), "name another group in ExcludedGroups"},
		"forbidden": {partOf(1, 403, `{"error":{"code":"Authorization_RequestDenied"}}`), "403 Authorization_RequestDenied"},
		"another":   {partOf(1, 200, `{"id":"`+userID(0)+`"}`), "documented form"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				graph := groups(tt.part)
				client := clientOf(t, graph)
				got, err := client.MemberOf(t.Context(), userIDs(2), []string{groupID})
				if e := graphError(t, err); got != nil || e.Operation != "getGroup" || !strings.Contains(err.Error(), tt.says) {
					t.Errorf("%v, %v", got, err)
				}
				if graphError(t, client.CheckGroups(t.Context(), []string{groupID})); graph.requests() != 2 {
					t.Errorf("%d requests, want 2", graph.requests())
				}
			})
		})
	}
}

func TestGroupsAreCheckedFirst(t *testing.T) {
	t.Parallel()
	graph := answers(http.StatusOK, batchOf())
	client := clientOf(t, graph)
	if got, err := client.MemberOf(t.Context(), userIDs(2), nil); err != nil || len(got) != 2 {
		t.Errorf("without a group: %v, %v", got, err)
	}
	for _, ids := range [][]string{{"../users"}, {groupID, groupID}, userIDs(msgraph.MaxBatch + 1)} {
		if e, ok := errors.AsType[*directory.Error](client.CheckGroups(t.Context(), ids)); !ok || !e.NotDone {
			t.Errorf("%d groups: %v", len(ids), e)
		}
	}
	if graph.requests() != 0 {
		t.Errorf("%d requests, want none", graph.requests())
	}
}
