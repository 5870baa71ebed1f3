package msgraph

import (
	"fmt"
	"strings"
)

// A Cloud is one of the separate deployments of Graph and Entra. A tenant lives
// in exactly one of them, and the others do not know it.
type Cloud struct {
	// Name is how the cloud is chosen: "global".
	Name string
	// GraphHost is the host of the Graph API: "graph.microsoft.com".
	GraphHost string
	// LoginHost is the host of the token endpoint: "login.microsoftonline.com".
	LoginHost string
	// Portal is the address of the [admin center]: "https://entra.microsoft.com".
	//
	// [admin center]: https://learn.microsoft.com/entra/fundamentals/faq
	Portal string
}

// Clouds returns the [deployments] there are, the global one first. GCC is part
// of the global one.
//
// [deployments]: https://learn.microsoft.com/graph/deployments
func Clouds() []Cloud {
	return []Cloud{
		{Name: "global", GraphHost: "graph.microsoft.com", LoginHost: "login.microsoftonline.com", Portal: "https://entra.microsoft.com"},
		{Name: "usgovernment-l4", GraphHost: "graph.microsoft.us", LoginHost: "login.microsoftonline.us", Portal: "https://entra.microsoft.us"},
		{Name: "usgovernment-l5", GraphHost: "dod-graph.microsoft.us", LoginHost: "login.microsoftonline.us", Portal: "https://entra.microsoft.us"},
		{Name: "china", GraphHost: "microsoftgraph.chinacloudapi.cn", LoginHost: "login.chinacloudapi.cn", Portal: "https://entra.microsoftonline.cn"},
	}
}

// CloudByName returns the cloud of that name, or an error that lists the names.
func CloudByName(name string) (Cloud, error) {
	var names []string
	for _, c := range Clouds() {
		if c.Name == name {
			return c, nil
		}
		names = append(names, c.Name)
	}
	return Cloud{}, fmt.Errorf("no cloud is called %q; choose one of %s", name, strings.Join(names, ", "))
}

// ExchangeAudience is whom a token of another issuer is addressed to that is
// exchanged for one of Entra's. A federated credential has [the same].
//
// [the same]: https://learn.microsoft.com/entra/workload-id/workload-identity-federation-create-trust
func (c Cloud) ExchangeAudience() string {
	switch c.LoginHost {
	case "login.microsoftonline.us":
		return "api://AzureADTokenExchangeUSGov"
	case "login.chinacloudapi.cn":
		return "api://AzureADTokenExchangeChina"
	}
	return "api://AzureADTokenExchange"
}
