package msgraphtest

import (
	"net"
	"slices"
	"strings"
)

// cloud is one of Microsoft's separate clouds as an app sees it: a host for
// Graph and the hosts that issue tokens for it. Tokens don't work across clouds.
// See https://learn.microsoft.com/graph/deployments.
type cloud struct {
	graph  string
	logins []string // the first is the one that discovery prefers
}

func clouds() []cloud {
	government := []string{"login.microsoftonline.us"}
	return []cloud{
		{"graph.microsoft.com", []string{
			"login.microsoftonline.com", "login.microsoft.com", "login.windows.net", "sts.windows.net"}},
		{"graph.microsoft.us", government},
		{"dod-graph.microsoft.us", government},
		{"microsoftgraph.chinacloudapi.cn", []string{
			"login.partner.microsoftonline.cn", "login.chinacloudapi.cn"}},
	}
}

// isGraph tells whether host is Graph in one of the clouds.
func isGraph(host string) bool {
	return slices.ContainsFunc(clouds(), func(c cloud) bool { return c.graph == host })
}

// isLogin tells whether host issues tokens in one of the clouds.
func isLogin(host string) bool { return len(graphsOf(host)) > 0 }

// graphsOf returns the hosts of Graph that a login host issues tokens for.
func graphsOf(login string) []string {
	var graphs []string
	for _, c := range clouds() {
		if slices.Contains(c.logins, login) {
			graphs = append(graphs, c.graph)
		}
	}
	return graphs
}

// hosts returns every host the server answers for.
func hosts() []string {
	var all []string
	for _, c := range clouds() {
		all = append(append(all, c.graph), c.logins...)
	}
	return all
}

// hostname is a Host header in lower case and without its port.
func hostname(hostport string) string {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	return strings.ToLower(host)
}
