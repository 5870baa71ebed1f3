package doctor

// principalCredential finds credentials of the service principal: sessionstamp stores none
// there.
func principalCredential(m matter, a held) (hits []hit) {
	for _, c := range a.Credentials {
		if !c.OfPrincipal || !c.End.After(m.Now) {
			continue
		}
		p := a.params()
		p["key"], p["which"] = plain(c.KeyID), plain("--key-id "+c.KeyID)
		if c.Certificate {
			p["which"] = plain("--cert --key-id " + c.KeyID)
		}
		hits = append(hits, hit{params: p})
	}
	return hits
}

// appOwned finds who could add a credential without holding a role in the tenant. Of an app
// that setup has made nobody has to be an owner.
func appOwned(m matter, a held) []hit {
	h := hit{params: a.params()}
	h.params["owners"] = count(len(a.Owners))
	for _, id := range a.Owners {
		h.mend = append(h.mend, m.hit(a, Disown, id, "owner").mend...)
	}
	if len(a.Owners) == 0 {
		return nil
	}
	return []hit{h}
}
