package setup

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
)

// TestTwoPeople: the one of AWS begins and ends, the one of Entra acts between; neither needs a
// right of the other's, and two lines without a secret are all that passes.
func TestTwoPeople(t *testing.T) {
	t.Parallel()
	for _, one := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w, f := newWorld(), facts()
			inAWS := World{Account: w, Stacks: w, Deployer: w, Exchange: w.Exchange, Now: w.seen().Now}
			do := func(world World, f Facts, wishes Wishes) Result {
				t.Helper()
				p, problems := Make(f, wishes)
				if len(problems) > 0 {
					t.Fatal(problems)
				}
				result, err := Run(t.Context(), p, world, quiet)
				if err != nil {
					t.Fatal(err)
				}
				return result
			}
			wishes := wish()
			wishes.Mandate, wishes.Apps, wishes.ExcludedGroups = AWSFirst, map[bool]int{true: 1, false: 2}[one], []string{tenant}
			asked := do(inAWS, Facts{AWS: f.AWS}, wishes).Request
			request, err := ReadRequest(wrapped(asked))
			if err != nil {
				t.Fatal(err)
			}
			entra := Facts{Tenant: Tenant{ID: f.Tenant.ID, Cloud: f.Tenant.Cloud, Audience: f.Tenant.Audience}}
			answered := do(World{Directory: w, Now: w.seen().Now}, entra, Wishes{Mandate: EntraHalf, Request: request}).Answer
			answer, err := ReadAnswer(wrapped(answered))
			if err != nil {
				t.Fatal(err)
			}
			answer.Audience = f.Tenant.Audience
			f.AWS.Issuer = w.issuer
			wishes.Mandate, wishes.Answer = AWSLast, answer
			w.judge(t, do(inAWS, Facts{AWS: f.AWS}, wishes).Plan)
		})
	}
}

// wrapped is a line as a mail program shows it.
func wrapped(line string) string { return "  " + line[:60] + "\r\n> "[:2] + line[60:] + "\n" }

// TestLines: whatever is changed in a line, it is refused.
func TestLines(t *testing.T) {
	t.Parallel()
	d := Deployment{Stack: "sessionstamp", Partition: "aws", Account: "123456789012", Region: "ap-northeast-1"}
	request := Request{Deployment: d, Issuer: theIssuer}.String()
	answer := Answer{Account: d.Account, Region: d.Region, Stack: d.Stack, Cloud: "global", Tenant: tenant, Reader: user(1, "").ID, Stamper: user(2, "").ID}.String()
	read := map[string]func(string) error{
		request: func(line string) error { _, err := ReadRequest(line); return err },
		answer:  func(line string) error { _, err := ReadAnswer(line); return err },
	}
	for line, read := range read {
		if err := read(line); err != nil {
			t.Fatal(err)
		}
		for i := range line {
			for _, changed := range []string{line[:i], line[:i] + line[i+1:], line[:i] + "x" + line[i:], line[:i] + "/" + line[i+1:]} {
				if changed != line && read(changed) == nil {
					t.Errorf("%q is taken", changed)
				}
			}
		}
	}
	host := strings.TrimPrefix(theIssuer, "https://")
	if _, err := ReadRequest(signed(toEntra, "aws", "123456789012", "ap-northeast-1", "s", host, "two-apps", "groups")); err != nil {
		t.Fatal(err)
	}
	eu := Deployment{Stack: "sessionstamp", Partition: "aws-eusc", Account: "123456789012", Region: "eusc-de-east-1"}
	if _, err := ReadRequest(Request{Deployment: eu, Issuer: theIssuer}.String()); err != nil {
		t.Error(err)
	}
	for line, want := range map[string]error{
		answer: ErrNoLine, "": ErrNoLine, "sessionstamp": ErrNoLine, "sessionstamp/v2/to-entra": ErrVersion, request + "/": ErrBroken,
		strings.Repeat("sessionstamp/v1/", 100): ErrNoLine, signed(toEntra, "aws", "12", "ap-northeast-1", "s", host, "two-apps", "groups"): ErrBroken,
		signed(toEntra, "aws", "123456789012", "ap-northeast-1", "s; rm", host, "two-apps", "groups"): ErrBroken,
		// Who vouches for anybody is not to be trusted, whatever account the line names.
		signed(toEntra, "aws", "123456789012", "ap-northeast-1", "s", "login.example.com", "two-apps", "groups"):                      ErrBroken,
		signed(toEntra, "aws", "123456789012", "ap-northeast-1", "s", "x.lambda-url.us-east-1.on.aws", "two-apps", "groups"):          ErrBroken,
		signed(toEntra, "aws", "123456789012", "ap-northeast-1", "s", host+".example.com", "two-apps", "groups"):                      ErrBroken,
		signed(toEntra, "aws", "123456789012", "ap-northeast-1", "s", "example.com#.tokens.sts.global.api.aws", "two-apps", "groups"): ErrBroken,
		strings.ReplaceAll(request, "sessionstamp", "ｓｅｓｓｉｏｎｓｔａｍｐ"):                                                                   ErrNoLine, request[:40] + "\x00" + request[40:]: ErrBroken,
		request[:40] + "%20" + request[40:]: ErrBroken, strings.Repeat(request, 10_000): ErrNoLine,
	} {
		if _, err := ReadRequest(line); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", line, err, want)
		}
	}
}

// TestRemoval: the person of Entra can be asked to delete the apps, by a line of its own or by
// the one that asked for them; no line for that makes any.
func TestRemoval(t *testing.T) {
	t.Parallel()
	d := Deployment{Stack: "sessionstamp", Partition: "aws", Account: "123456789012", Region: "ap-northeast-1"}
	for _, line := range []string{wrapped(d.RemovalLine()), Request{Deployment: d, Issuer: theIssuer}.String()} {
		if got, err := ReadRemoval(line); got != d || err != nil {
			t.Errorf("%s: %+v, %v", line, got, err)
		}
	}
	if _, err := ReadRequest(d.RemovalLine()); !errors.Is(err, ErrNoLine) {
		t.Errorf("it is a request: %v", err)
	}
	if _, err := ReadRemoval(strings.Replace(d.RemovalLine(), "123456789012", "123456789013", 1)); !errors.Is(err, ErrBroken) {
		t.Errorf("another account is taken: %v", err)
	}
}
