package stream

import (
	"encoding/json"
	"time"
)

// metadata are a transmitter's (section 7.1).
type metadata struct {
	Issuer        string   `json:"issuer"`
	KeysURI       string   `json:"jwks_uri"`
	Methods       []string `json:"delivery_methods_supported"`
	Critical      []string `json:"critical_subject_members"`
	Subjects      string   `json:"default_subjects"`
	Configuration string   `json:"configuration_endpoint"`
	Status        string   `json:"status_endpoint"`
	Verification  string   `json:"verification_endpoint"`
}

// configuration is a stream's (section 8.1.1), as the transmitter writes it.
type configuration struct {
	ID            string   `json:"stream_id"`
	Issuer        string   `json:"iss"`
	Audiences     oneOrAll `json:"aud"`
	Supported     []string `json:"events_supported"`
	Requested     []string `json:"events_requested"`
	Delivered     []string `json:"events_delivered"`
	Delivery      delivery `json:"delivery"`
	MinInterval   seconds  `json:"min_verification_interval"`
	MaxInactivity seconds  `json:"inactivity_timeout"`
}

// wanted is a stream's configuration, as we write it. The transmitter's own members must
// not stand in it.
type wanted struct {
	ID          string   `json:"stream_id,omitempty"`
	Events      []string `json:"events_requested"`
	Delivery    delivery `json:"delivery"`
	Description string   `json:"description"`
	// Format and Audiences are for authentik, which demands them of the receiver
	// (https://github.com/goauthentik/authentik/blob/main/authentik/enterprise/providers/ssf/views/stream.py).
	Format    string   `json:"format,omitempty"`
	Audiences []string `json:"aud,omitempty"`
}

type delivery struct {
	Method   string `json:"method"`
	Endpoint string `json:"endpoint_url"`
	// Authorization is the header that the transmitter sends. Few give it back.
	Authorization string `json:"authorization_header,omitempty"`
}

// condition is a stream's status (section 8.1.2).
type condition struct {
	ID     string `json:"stream_id,omitempty"`
	Status string `json:"status"`
}

// verification asks for a verification event (section 8.1.4).
type verification struct {
	ID    string `json:"stream_id"`
	State string `json:"state"`
}

// oneOrAll is a string, or an array of them.
type oneOrAll []string

func (o *oneOrAll) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		*o = nil
		if one != "" {
			*o = oneOrAll{one}
		}
		return nil
	}
	return json.Unmarshal(raw, (*[]string)(o))
}

// seconds are a time.
type seconds int64

func (s seconds) duration() time.Duration { return time.Duration(s) * time.Second }

// several is a list of streams. Okta answers with the only one:
// https://developer.okta.com/docs/api/openapi/okta-management/management/tag/SSFTransmitter
type several []configuration

func (s *several) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '[' {
		return json.Unmarshal(raw, (*[]configuration)(s))
	}
	*s = make(several, 1)
	return json.Unmarshal(raw, &(*s)[0])
}
