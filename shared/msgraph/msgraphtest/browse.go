package msgraphtest

import (
	"context"
	"encoding/xml"
	"errors"
	"html"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// formPost is Entra's page that posts fields to an app. See the response mode form_post of
// https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc.
func formPost(action string, fields url.Values) webPage {
	var b strings.Builder
	b.WriteString(`<html><body><form method="POST" action="` + html.EscapeString(action) + `">`)
	for name := range fields {
		b.WriteString(`<input type="hidden" name="` + name + `" value="` + html.EscapeString(fields.Get(name)) + `" />`)
	}
	b.WriteString(`</form></body></html>`)
	return webPage(b.String())
}

// Browse does what a browser does that is told to open the address of a sign-in: it asks
// Entra, over that transport, and posts the form of the answer to the app on this machine.
// It fails where there is no form: nobody sits at the browser, or the address is wrong.
func Browse(ctx context.Context, entra http.RoundTripper, address string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	resp, err := entra.RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxDocument))
	if err != nil {
		return err
	}
	action, fields := readForm(string(body))
	if action == "" {
		return errors.New("msgraphtest: the page has no form to post: nobody signs in, or the request is refused")
	}
	return post(ctx, action, fields)
}

// readForm reads a page of formPost.
func readForm(page string) (action string, fields url.Values) {
	fields = make(url.Values)
	for decoder := xml.NewDecoder(strings.NewReader(page)); ; {
		token, err := decoder.Token()
		if err != nil {
			return action, fields
		}
		element, _ := token.(xml.StartElement)
		attribute := func(name string) string {
			i := slices.IndexFunc(element.Attr, func(a xml.Attr) bool { return a.Name.Local == name })
			if i < 0 {
				return ""
			}
			return element.Attr[i].Value
		}
		switch element.Name.Local {
		case "form":
			action = attribute("action")
		case "input":
			fields.Set(attribute("name"), attribute("value"))
		}
	}
}

// post sends the form to the app.
func post(ctx context.Context, action string, fields url.Values) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, action, strings.NewReader(fields.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := new(http.Client).Do(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}
