package embedded_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/luutru/luutru/store/embedded"
)

// clocked starts a server with object lock whose clock the test sets.
func clocked(t *testing.T) (*minio.Client, *atomic.Pointer[time.Time]) {
	t.Helper()
	clock := new(atomic.Pointer[time.Time])
	now := time.Now().UTC().Truncate(time.Second)
	clock.Store(&now)
	s := start(t, embedded.Config{Dir: t.TempDir(), Now: func() time.Time { return *clock.Load() }})
	c := client(t, s.Endpoint())
	if err := c.MakeBucket(t.Context(), "archive", minio.MakeBucketOptions{ObjectLocking: true}); err != nil {
		t.Fatal(err)
	}
	return c, clock
}

func retain(t *testing.T, c *minio.Client, version string, mode minio.RetentionMode, until time.Time, bypass bool) error {
	t.Helper()
	return c.PutObjectRetention(t.Context(), "archive", "a", minio.PutObjectRetentionOptions{
		Mode: &mode, RetainUntilDate: &until, VersionID: version, GovernanceBypass: bypass,
	})
}

func hold(t *testing.T, c *minio.Client, version string, status minio.LegalHoldStatus) {
	t.Helper()
	if err := c.PutObjectLegalHold(t.Context(), "archive", "a", minio.PutObjectLegalHoldOptions{VersionID: version, Status: &status}); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, c *minio.Client, version string) error {
	t.Helper()
	return c.RemoveObject(t.Context(), "archive", "a", minio.RemoveObjectOptions{VersionID: version, GovernanceBypass: true})
}

func TestCompliance(t *testing.T) {
	c, clock := clocked(t)
	now := *clock.Load()
	until := now.Add(time.Hour)
	u, err := put(t.Context(), c, "a", []byte("x"), retained(absent([]byte("x")), until))
	if err != nil {
		t.Fatal(err)
	}
	mustPut(t, c, "a", []byte("on top")) // an overwritten version keeps its lock
	if err := remove(t, c, u.VersionID); code(err) != "AccessDenied" {
		t.Errorf("locked version removed: %v", err)
	}
	for name, err := range map[string]error{
		"earlier":    retain(t, c, u.VersionID, minio.Compliance, until.Add(-time.Minute), true),
		"governance": retain(t, c, u.VersionID, minio.Governance, until.Add(time.Hour), true),
	} {
		if code(err) != "AccessDenied" {
			t.Errorf("%s: %v", name, err)
		}
	}
	later := until.Add(24 * time.Hour)
	if err := retain(t, c, u.VersionID, minio.Compliance, later, false); err != nil {
		t.Errorf("extended: %v", err)
	}
	mode, got, err := c.GetObjectRetention(t.Context(), "archive", "a", u.VersionID)
	if err != nil || *mode != minio.Compliance || !got.Equal(later) {
		t.Errorf("retention %v %v, %v", mode, got, err)
	}
	st, err := c.StatObject(t.Context(), "archive", "a", minio.StatObjectOptions{VersionID: u.VersionID})
	if err != nil || st.Metadata.Get("X-Amz-Object-Lock-Mode") != "COMPLIANCE" {
		t.Errorf("headers %v, %v", st.Metadata, err)
	}
	// A marker may always be put on top, and hides nothing.
	if err := remove(t, c, ""); err != nil {
		t.Error(err)
	}
	if _, err := get(t.Context(), c, "a", u.VersionID); err != nil {
		t.Error(err)
	}
}

// TestExpiry uses a server whose clock is ahead: what it takes for expired,
// versitygw, which uses the system's, still holds. So the dates are past.
func TestExpiry(t *testing.T) {
	c, clock := clocked(t)
	now := *clock.Load()
	u, err := put(t.Context(), c, "a", []byte("x"), retained(fast([]byte("x")), now.Add(2*time.Second)))
	if err != nil {
		t.Fatal(err)
	}
	hold(t, c, u.VersionID, minio.LegalHoldEnabled)
	ahead := now.Add(time.Hour)
	clock.Store(&ahead)
	// Wait for the system's clock, by asking: versitygw says no until then,
	// and the hold must say no after it.
	for time.Now().Before(now.Add(2100 * time.Millisecond)) {
		if err := remove(t, c, u.VersionID); code(err) != "AccessDenied" {
			t.Fatalf("held version removed: %v", err)
		}
	}
	hold(t, c, u.VersionID, minio.LegalHoldDisabled)
	if err := remove(t, c, u.VersionID); err != nil {
		t.Errorf("neither locked nor held: %v", err)
	}
}

func TestGovernance(t *testing.T) {
	c, clock := clocked(t)
	until := clock.Load().Add(time.Hour)
	o := fast([]byte("x"))
	o.Mode, o.RetainUntilDate = minio.Governance, until
	u, err := put(t.Context(), c, "a", []byte("x"), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.RemoveObject(t.Context(), "archive", "a", minio.RemoveObjectOptions{VersionID: u.VersionID}); code(err) != "AccessDenied" {
		t.Errorf("without bypass: %v", err)
	}
	if err := remove(t, c, u.VersionID); err != nil {
		t.Errorf("with bypass: %v", err)
	}
}

func TestDefaultRetention(t *testing.T) {
	c, clock := clocked(t)
	mode, days, unit := minio.Compliance, uint(10), minio.Days
	before := mustPut(t, c, "a", []byte("before"))
	if err := c.SetObjectLockConfig(t.Context(), "archive", &mode, &days, &unit); err != nil {
		t.Fatal(err)
	}
	later := clock.Load().Add(5 * 24 * time.Hour)
	clock.Store(&later)
	u := mustPut(t, c, "a", []byte("x"))
	got, until, err := c.GetObjectRetention(t.Context(), "archive", "a", u)
	if err != nil || *got != minio.Compliance || !until.Equal(later.AddDate(0, 0, 10)) {
		t.Errorf("default retention %v %v, %v", got, until, err)
	}
	if err := remove(t, c, u); code(err) != "AccessDenied" {
		t.Errorf("removed: %v", err)
	}
	if err := remove(t, c, before); err != nil {
		t.Errorf("put before there was a default: %v", err)
	}
}

func TestUnlockedBucket(t *testing.T) {
	c := bucket(t, false)
	mustPut(t, c, "a", []byte("x"))
	until := time.Now().Add(time.Hour)
	if _, err := put(t.Context(), c, "a", []byte("x"), retained(fast([]byte("x")), until)); code(err) != "InvalidRequest" {
		t.Errorf("put with a lock: %v", err)
	}
	if err := retain(t, c, "", minio.Compliance, until, false); code(err) != "InvalidRequest" {
		t.Errorf("lock: %v", err)
	}
	if _, _, err := c.GetObjectRetention(t.Context(), "archive", "a", ""); err == nil {
		t.Error("there is a retention")
	}
}
