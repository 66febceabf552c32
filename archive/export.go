package archive

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/luutru/luutru/bagit"
	"github.com/luutru/luutru/dossier"
	"github.com/luutru/luutru/intake"
	"github.com/luutru/luutru/life"
)

// Forms of a copy.
const (
	FormProof = ""    // the package as it is kept, with what proves it (docs/format.md §9)
	FormDIP   = "dip" // an E-ARK package for use, appendix V of Circular 05/2025/TT-BNV
	FormSIP   = "sip" // an E-ARK package for another archive, appendix III
	FormBag   = "bag" // a bag (RFC 8493) in a ZIP
)

// WriteForm writes the whole dossier in one of the forms, as a ZIP. But for the
// first they are made anew, with all that happened to the dossier since in their
// PREMIS. Documents are verified while they pass: what was not verified to its
// end has no central directory and opens in no ZIP reader.
func (c *Copy) WriteForm(w io.Writer, form string) (n int64, err error) {
	count := &counter{w: w}
	switch form {
	case FormProof:
		return c.WriteTo(w)
	case FormDIP:
		err = c.writePackage(count, dossier.DIP)
	case FormSIP:
		err = c.writePackage(count, dossier.SIP)
	case FormBag:
		err = c.writeBag(count)
	default:
		return 0, fmt.Errorf("%w: %q", ErrForm, form)
	}
	if err != nil {
		return count.n, c.fail(err)
	}
	c.delivery += "* " + form + "\n"
	return count.n, nil
}

// writePackage makes an E-ARK package of the kind. It is not signed: the
// signature would be a file that METS.xml cannot list (CSIP66), and what proves
// itself is the other form of a copy.
func (c *Copy) writePackage(w io.Writer, kind dossier.Kind) error {
	events, err := c.events()
	if err != nil {
		return err
	}
	plan, err := dossier.NewPlan(c.Declaration, dossier.PackageMeta{
		Kind: kind, UUID: uuidOf(c.granted.ID), Archive: c.a.name, Fonds: c.Declaration.Fonds, ArchiveCode: c.Receipt.ArchiveCode,
		Retention: retentionCode(c.a.Schedule(), c.Seal.Class), Created: c.granted.Time, Preservation: true, EventSpace: eventSpace(events),
		Request: dossier.Request{Date: c.granted.Time.In(vietnam()).Format(time.DateOnly)},
	})
	if err != nil {
		return err
	}
	p := plan.Writer(w)
	err = c.documents(func(e dossier.Entry) (io.Writer, error) { return p.Document(e.Name) })
	if err != nil {
		return err
	}
	_, err = p.Close(events)
	return err
}

// eventSpace is the room for the events of an export.
func eventSpace(events []dossier.Event) int {
	room := 8 << 10
	for _, e := range events {
		room += 1500 + 2*len(e.Detail)
	}
	return min(room, 32<<20)
}

// writeBag makes a bag: the documents are its payload; declaration, receipt and
// PREMIS stand beside.
func (c *Copy) writeBag(w io.Writer) error {
	events, err := c.events()
	if err != nil {
		return err
	}
	premis, err := writeEvents(c.Receipt.Dossier, c.pkg.Documents(), events)
	if err != nil {
		return err
	}
	declaration, err := c.Declaration.Canonical()
	if err != nil {
		return err
	}
	receipt, err := c.Receipt.Encode()
	if err != nil {
		return err
	}
	b, err := bagit.NewWriter(w, bagit.Options{
		Form: "zip", Name: "uuid-" + strings.ToUpper(uuidOf(c.granted.ID)), Time: c.granted.Time, Info: []bagit.Tag{
			{Label: "Source-Organization", Value: c.a.name}, {Label: "External-Identifier", Value: c.Receipt.ArchiveCode},
			{Label: "Internal-Sender-Identifier", Value: strings.Join(strings.Fields(c.Receipt.Code), " ")},
		},
	})
	if err != nil {
		return fmt.Errorf("bag: %w", err)
	}
	err = c.documents(func(e dossier.Entry) (io.Writer, error) {
		return b.Create(bagit.Payload{Path: e.Name, Size: e.Size, SHA256: e.SHA256})
	})
	if err != nil {
		return err
	}
	for _, t := range []struct {
		path    string
		content []byte
	}{{"declaration.json", declaration}, {"receipt.json", receipt}, {"metadata/preservation/PREMIS.xml", premis}} {
		if err := b.Tag(t.path, t.content); err != nil {
			return fmt.Errorf("bag: %w", err)
		}
	}
	return b.Close()
}

// documents copies the documents of the package in one sequential read, each
// verified, to the writers that create makes.
func (c *Copy) documents(create func(dossier.Entry) (io.Writer, error)) error {
	list := c.pkg.Documents()
	if len(list) == 0 {
		return nil
	}
	last := list[len(list)-1]
	stream := c.opened.Section(0, last.Offset+last.Size)
	defer stream.Close()
	var pos int64
	for _, e := range list {
		w, err := create(e)
		if err != nil {
			return err
		}
		if pos, err = c.pass(w, stream, e, pos); err != nil {
			return err
		}
	}
	return nil
}

// pass copies one entry, verified, from a stream that stands at pos, and returns
// where the stream stands then.
func (c *Copy) pass(w io.Writer, stream io.Reader, e dossier.Entry, pos int64) (int64, error) {
	if _, err := io.CopyN(io.Discard, stream, e.Offset-pos); err != nil {
		return pos, corrupt(err)
	}
	_, err := io.Copy(w, c.pkg.Verify(e.Path, io.LimitReader(stream, e.Size)))
	return e.Offset + e.Size, corrupt(err)
}

// events are all that happened to the dossier, the oldest first: what its package
// says, what its seal says of documents that were looked into later, its acts, and
// its uses as the ledger has them.
func (c *Copy) events() ([]dossier.Event, error) {
	var events []dossier.Event
	for _, e := range c.pkg.Entries() {
		if !isPREMIS(e.Path) {
			continue
		}
		data, err := c.pkg.ReadFile(e.Path)
		if err != nil {
			return nil, corrupt(err)
		}
		more, err := readEvents(data)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
		}
		events = append(events, more...)
	}
	id := c.Receipt.Dossier
	acts, _, err := c.a.life(c.ctx, id)
	if err != nil {
		return nil, err
	}
	for _, act := range acts {
		e := dossier.Event{Type: act.Type, Time: act.When(), Outcome: string(intake.Pass), Agent: c.a.name}
		if at, ok := c.a.chains.Index(act.Chain, act.N); ok {
			e.Detail = fmt.Sprintf("sổ cái / ledger %d, sha256 %s", at, act.Digest())
		}
		events = append(events, e)
		if act.Type == life.Ingestion {
			events = append(events, c.later(events, act.When())...)
		}
	}
	uses, err := c.a.uses(c.ctx, id)
	events = append(events, uses...)
	slices.SortStableFunc(events, func(x, y dossier.Event) int { return x.Time.Compare(y.Time) })
	return events, err
}

// later returns, of the findings in the seal, those that the package has not.
func (c *Copy) later(known []dossier.Event, at time.Time) []dossier.Event {
	type key struct{ code, document string }
	have := map[key]bool{}
	for _, e := range known {
		have[key{e.Code, e.Document}] = true
	}
	var events []dossier.Event
	for _, f := range c.Seal.Findings {
		for _, n := range f.Documents {
			if n < 0 || n >= len(c.Declaration.Documents) || have[key{f.Code, c.Declaration.Documents[n].Name}] {
				continue
			}
			events = append(events, dossier.Event{
				Type: checkOf(f.Code), Time: at, Outcome: string(outcomeOf(f.Code)), Code: f.Code, Document: c.Declaration.Documents[n].Name,
			})
		}
	}
	return events
}

// uses are the ledger's entries of who used the dossier, without who it was: that
// only the audit key opens.
func (a *Archive) uses(ctx context.Context, id string) ([]dossier.Event, error) {
	var events []dossier.Event
	for _, at := range a.register.uses(id) {
		e, err := a.ledger.Entry(ctx, at)
		if err != nil {
			return nil, err
		}
		x := dossier.Event{Type: e.Type, Time: e.Time, Agent: a.name, Outcome: string(intake.Pass), Detail: fmt.Sprintf("sổ cái / ledger %d", at)}
		switch e.Type {
		case "delivered":
			x.Type = "dissemination"
			x.Detail += ": đã giao / delivered"
		case "delivery failed":
			x.Type, x.Outcome = "dissemination", string(intake.Failure)
		case "dissemination":
			x.Detail += ": cho phép / permitted"
		}
		events = append(events, x)
	}
	return events, nil
}
