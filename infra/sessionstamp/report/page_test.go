//go:build page

package report_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/report"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

var pictures = flag.String("pictures", "", "keep the pictures in this `folder`")

// company is a tenant of 3,000 whose provider stopped giving stamps half a year ago; since a
// fortnight ago this machine keeps watch.
func company() report.Report {
	in := report.Input{Tenant: "11111111-1111-4111-8111-111111111111", Now: now, Policy: stamp.DefaultPolicy, Domains: []directory.Domain{
		{Name: "example.com", Federated: true, Verified: true}, {Name: "contoso.onmicrosoft.com", Verified: true},
	}}
	for i := range 3000 {
		age := time.Duration(i*i%900+1) * 24 * time.Hour
		created := now.Add(-age)
		u := member(fmt.Sprintf("%08d-0000-4000-8000-000000000000", i), fmt.Sprintf("user%04d", i), created, 0)
		u.UserPrincipalName = fmt.Sprintf("user%04d@%sexample.com", i, []string{"", "tokyo.", "osaka.", "very-long-name-of-a-subsidiary."}[i%4])
		switch days := age / (24 * time.Hour); {
		case days < 14:
			e := entry(u.ID, created, time.Duration(3+i%17)*time.Second, stamp.SourceNotification)
			u.SignInSessionsValidFrom = e.Called
			in.Memory.Entries = append(in.Memory.Entries, e)
		case days > 180 && i%40 != 0:
			u.SignInSessionsValidFrom = created.Add(time.Minute)
		}
		in.Users = append(in.Users, u)
	}
	in.Memory.Swept = now.Add(-time.Hour)
	return report.Make(in)
}

// hostile are names that could break a page's layout.
func hostile() report.Report {
	in := small()
	for i, name := range []string{string(bytes.Repeat([]byte("W"), 400)), "<script>document.title='broken'</script>", "\u202egnp.exe", "👩‍👩‍👧‍👦"} {
		in.Users = append(in.Users, member(fmt.Sprint(i), name, ago(float64(1000+i)), 0))
	}
	return report.Make(in)
}

// TestPage looks at the page as a person does, in every window, language and scheme.
func TestPage(t *testing.T) {
	t.Parallel()
	b := open(t)
	for name, r := range map[string]report.Report{"company": company(), "hostile": hostile(), "empty": report.Make(report.Input{Tenant: "t", Now: now, Policy: stamp.DefaultPolicy})} {
		for _, l := range []language.Language{language.English, language.Japanese} {
			file := filepath.Join(t.TempDir(), name+".html")
			if err := os.WriteFile(file, []byte(page(t, r, l)), 0o600); err != nil {
				t.Fatal(err)
			}
			grounds := make(map[string]string)
			for _, width := range []int{1280, 390} {
				for _, scheme := range []string{"light", "dark"} {
					what := fmt.Sprintf("%s-%s-%d-%s", name, l, width, scheme)
					b.show("file://"+file, width, 900, scheme)
					var ground string
					b.ask("getComputedStyle(document.body).backgroundColor", &ground)
					grounds[scheme] = ground
					checkLayout(t, b, what, width)
					keep(t, b, what, width)
				}
			}
			if grounds["light"] == grounds["dark"] {
				t.Errorf("%s: the dark scheme is as the light one: %v", name, grounds)
			}
		}
	}
	for _, complaint := range b.complaints() {
		t.Error(complaint)
	}
}

func checkLayout(t *testing.T, b *browser, what string, width int) {
	t.Helper()
	var wide int
	b.ask("document.documentElement.scrollWidth", &wide)
	if wide > width {
		t.Errorf("%s: %d pixels wide", what, wide)
	}
	var title string
	b.ask("document.title", &title)
	if title == "broken" {
		t.Errorf("%s: a name has run", what)
	}
	// Texts of a chart must not lie over each other.
	var over []string
	b.ask(`[...document.querySelectorAll("svg.chart")].flatMap(svg => {
		const texts = [...svg.querySelectorAll("text")].filter(t => getComputedStyle(t).display !== "none").map(t => [t, t.getBoundingClientRect()]);
		return texts.flatMap(([a, x], i) => texts.slice(i + 1).filter(([b, y]) => x.left < y.right && y.left < x.right && x.top < y.bottom && y.top < x.bottom)
			.map(([b]) => a.textContent + " over " + b.textContent));
	})`, &over)
	for _, texts := range over {
		t.Errorf("%s: %s", what, texts)
	}
}

// keep writes the picture of the page's beginning for a person, if one has asked for it.
func keep(t *testing.T, b *browser, what string, width int) {
	t.Helper()
	clip := map[string]any{"x": 0, "y": 0, "width": width, "height": 3000, "scale": 1}
	picture := b.bytes("Page.captureScreenshot", map[string]any{"format": "png", "captureBeyondViewport": true, "clip": clip})
	if !bytes.HasPrefix(picture, []byte("\x89PNG")) {
		t.Errorf("%s: no picture", what)
	}
	if *pictures != "" {
		if err := os.WriteFile(filepath.Join(*pictures, what+".png"), picture, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestList sorts and filters as a person does.
func TestList(t *testing.T) {
	t.Parallel()
	b := open(t)
	r := company()
	file := filepath.Join(t.TempDir(), "list.html")
	if err := os.WriteFile(file, []byte(page(t, r, language.English)), 0o600); err != nil {
		t.Fatal(err)
	}
	b.show("file://"+file, 1280, 900, "light")
	const users = `[...document.querySelectorAll("#list tbody tr")].filter(r => !r.hidden).map(r => r.cells[0].textContent)`
	read := func() (names []string) {
		b.ask(users, &names)
		return names
	}
	if names := read(); len(names) != len(r.Users) || names[0] != r.Users[0].UserPrincipalName {
		t.Errorf("%d users, want %d, the newest first", len(names), len(r.Users))
	}
	b.ask(`document.querySelector("#list th button").click()`, nil)
	if names := read(); !slices.IsSorted(names) || len(names) != len(r.Users) {
		t.Error("a click on the heading does not sort")
	}
	b.ask(`document.querySelector("#list th button").click()`, nil)
	if names := read(); slices.IsSorted(names) {
		t.Error("a second click does not turn the order")
	}
	b.ask(`const field = document.querySelector("#find input"); field.value = "TOKYO 05"; field.dispatchEvent(new Event("input"))`, nil)
	for _, name := range read() {
		if !bytes.Contains([]byte(name), []byte("tokyo")) {
			t.Errorf("the filter leaves %s", name)
		}
	}
	var shown string
	if b.ask(`document.querySelector("#find output").value`, &shown); shown != language.Number(len(read())) || shown == "0" {
		t.Errorf("%s shown of %d", shown, len(read()))
	}
	for _, complaint := range b.complaints() {
		t.Error(complaint)
	}
}

// TestPrint: the paper has no controls, and its table has headings on every page.
func TestPrint(t *testing.T) {
	t.Parallel()
	b := open(t)
	for _, l := range []language.Language{language.English, language.Japanese} {
		file := filepath.Join(t.TempDir(), "print.html")
		if err := os.WriteFile(file, []byte(page(t, company(), l)), 0o600); err != nil {
			t.Fatal(err)
		}
		b.show("file://"+file, 1280, 900, "dark")
		paper := b.bytes("Page.printToPDF", map[string]any{"preferCSSPageSize": true, "printBackground": true})
		if !bytes.HasPrefix(paper, []byte("%PDF")) {
			t.Error("no document")
		}
		if *pictures != "" {
			if err := os.WriteFile(filepath.Join(*pictures, "print-"+string(l)+".pdf"), paper, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		b.call("Emulation.setEmulatedMedia", map[string]any{"media": "print", "features": []map[string]string{{"name": "prefers-color-scheme", "value": "dark"}}}, nil)
		var looks []string
		b.ask(`[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.querySelector("#find")).display,
			getComputedStyle(document.querySelector("#list thead")).display, getComputedStyle(document.querySelector("#list th button")).display, getComputedStyle(document.querySelector("#list tbody tr")).breakInside]`, &looks)
		if want := []string{"rgb(255, 255, 255)", "none", "table-header-group", "contents", "avoid"}; !slices.Equal(looks, want) {
			t.Errorf("%v, want %v", looks, want)
		}
	}
}
