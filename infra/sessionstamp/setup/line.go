package setup

import (
	"cmp"
	"errors"
	"fmt"
	"hash/crc32"
	"regexp"
	"strings"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// What passes between two people is one line that both can read, without a secret: fields
// with / between, which no shell and no mail program changes, and a sum at its end that finds
// a line which was cut off or typed wrongly.

// A Request is what the person of AWS asks of the one of Entra.
type Request struct {
	Deployment
	// Issuer is https://HOST.
	Issuer string
	// OneApp asks for one app instead of two, and Groups for the right to read groups.
	OneApp, Groups bool
}

// An Answer is what the person of Entra gives back.
type Answer struct {
	// Account, Region and Stack are those of the request: the line is for no other.
	Account, Region, Stack string
	Tenant, Cloud          string
	// Audience is not in the line: it follows from the cloud.
	Audience string
	// Reader and Stamper are client IDs. Stamper is "" for one app.
	Reader, Stamper string
	// Groups tells that they may read groups, as the request asked.
	Groups bool
}

// Why a line cannot be read.
var (
	ErrNoLine  = errors.New("this is no line of sessionstamp setup")
	ErrVersion = errors.New("the line is of another version of sessionstamp")
	ErrBroken  = errors.New("the line is incomplete or was changed")
)

const (
	product  = "sessionstamp"
	version1 = "v1"
	toEntra  = "to-entra"
	toAWS    = "to-aws"
	removal  = "remove"
)

// String writes the request as a line.
func (r Request) String() string {
	apps := map[bool]string{true: "one-app", false: "two-apps"}[r.OneApp]
	return signed(toEntra, r.Partition, r.Account, r.Region, r.Stack, strings.TrimPrefix(r.Issuer, "https://"), apps, groups[r.Groups])
}

// String writes the answer as a line.
func (a Answer) String() string {
	return signed(toAWS, a.Account, a.Region, a.Stack, a.Cloud, a.Tenant, a.Reader, cmp.Or(a.Stamper, "-"), groups[a.Groups])
}

// RemovalLine asks the person of Entra to delete the apps of a deployment.
func (d Deployment) RemovalLine() string {
	return signed(removal, d.Partition, d.Account, d.Region, d.Stack)
}

// ReadRemoval reads a line that [Deployment.RemovalLine] has written, or a request. The error is
// one of those above.
func ReadRemoval(line string) (Deployment, error) {
	f, err := fields(line, removal, partitionForm, accountForm, regionForm, stackForm)
	if errors.Is(err, ErrNoLine) {
		r, err := ReadRequest(line)
		return r.Deployment, err
	}
	if err != nil {
		return Deployment{}, err
	}
	return Deployment{Partition: f[0], Account: f[1], Region: f[2], Stack: f[3]}, nil
}

var groups = map[bool]string{true: "groups", false: "no-groups"}

func signed(fields ...string) string {
	line := strings.Join(append([]string{product, version1}, fields...), "/")
	return fmt.Sprintf("%s/%08x", line, crc32.ChecksumIEEE([]byte(line)))
}

// The forms of the fields.
const (
	partitionForm = `aws(-[a-z-]+)?`
	accountForm   = `[0-9]{12}`
	regionForm    = `[a-z]+(-[a-z]+)+-[0-9]+`
	stackForm     = `[A-Za-z][A-Za-z0-9-]{0,127}`
	hostForm      = `[a-z0-9-]+\.tokens\.sts\.[a-z0-9-]+\.api\.(aws|amazonwebservices\.(com\.cn|eu))`
	cloudForm     = `[a-z0-9-]+`
	idForm        = `[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`
)

// issuers are those of AWS accounts, as [GetOutboundWebIdentityFederationInfo] returns them. A
// line that names another one would have the app trust whomever that lets in, under the name of
// any account.
//
// [GetOutboundWebIdentityFederationInfo]: https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetOutboundWebIdentityFederationInfo.html
var issuers = regexp.MustCompile(`^https://` + hostForm + `$`)

// ReadRequest reads a line that [Request.String] has written. The error is one of those
// above.
func ReadRequest(line string) (r Request, err error) {
	f, err := fields(line, toEntra, partitionForm, accountForm, regionForm, stackForm, hostForm, "two-apps|one-app", "groups|no-groups")
	if err != nil {
		return r, err
	}
	r.Deployment = Deployment{Partition: f[0], Account: f[1], Region: f[2], Stack: f[3]}
	r.Issuer, r.OneApp, r.Groups = "https://"+f[4], f[5] == "one-app", f[6] == groups[true]
	return r, nil
}

// ReadAnswer reads a line that [Answer.String] has written. The error is one of those above.
func ReadAnswer(line string) (a Answer, err error) {
	f, err := fields(line, toAWS, accountForm, regionForm, stackForm, cloudForm, idForm, idForm, idForm+"|-", "groups|no-groups")
	if err != nil {
		return a, err
	}
	a = Answer{Account: f[0], Region: f[1], Stack: f[2], Cloud: f[3], Tenant: f[4], Reader: f[5], Groups: f[7] == groups[true]}
	if f[6] != "-" {
		a.Stamper = f[6]
	}
	if a.Reader == a.Stamper || !directory.IsID(a.Tenant) {
		return a, ErrBroken
	}
	return a, nil
}

// fields takes a line apart. Mail programs break lines, so white space means nothing.
func fields(line, kind string, forms ...string) ([]string, error) {
	line = strings.Join(strings.Fields(line), "")
	if len(line) > 1<<10 || !strings.HasPrefix(line, product+"/") {
		return nil, ErrNoLine
	}
	all := strings.Split(line, "/")
	if all[1] != version1 {
		return nil, ErrVersion
	}
	if len(all) < 3 || all[2] != kind {
		return nil, ErrNoLine
	}
	if len(all) != len(forms)+4 || signed(all[2:len(all)-1]...) != line {
		return nil, ErrBroken
	}
	for i, form := range forms {
		if !regexp.MustCompile(`^(` + form + `)$`).MatchString(all[3+i]) {
			return nil, ErrBroken
		}
	}
	return all[3 : len(all)-1], nil
}
