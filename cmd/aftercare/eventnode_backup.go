package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/urfave/cli/v3"

	"aftercare/deploy/eventnode/storage"
)

func (p program) eventnodeBackup(c *config) *cli.Command {
	var to string
	var asJSON bool
	return &cli.Command{
		Name:  "backup",
		Usage: "copy the events to a folder, also while the node runs; again to the same folder, only what is new",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "to", Usage: "the `FOLDER`", Destination: &to},
			jsonFlag(&asJSON),
		},
		Action: func(ctx context.Context, _ *cli.Command) error {
			if to == "" {
				return usage("backup takes a folder: --to FOLDER")
			}
			progress, stop := p.byteMeter("backup")
			done, err := storage.Backup(ctx, c.path("events"), to, storage.BackupOptions{Now: c.now, Progress: progress})
			stop()
			if err != nil || asJSON {
				return p.printJSON(done, err)
			}
			fmt.Fprintf(p.Out, "backed up %d events, %d of them new, in %s: up to position %d, recorded %s, sha256 %s\n",
				done.Events, done.AddedEvents, done.Took.Round(time.Millisecond), done.LastPosition, recorded(done.LastRecorded), done.SHA256)
			return nil
		},
	}
}

func (p program) eventnodeRestore(c *config) *cli.Command {
	var from string
	var asJSON bool
	return &cli.Command{
		Name:  "restore",
		Usage: "put the events of a backup into an empty data folder, once all of them are verified",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "from", Usage: "the `FOLDER` of the backup", Destination: &from},
			jsonFlag(&asJSON),
		},
		Action: func(ctx context.Context, _ *cli.Command) error {
			if from == "" {
				return usage("restore takes the folder of a backup: --from FOLDER")
			}
			progress, stop := p.byteMeter("restore")
			done, err := storage.Restore(ctx, from, c.path("events"), progress)
			stop()
			if err != nil || asJSON {
				return p.printJSON(done, err)
			}
			fmt.Fprintf(p.Out, "restored %d events of %d streams: up to position %d, recorded %s\n",
				done.Events, done.Streams, done.LastPosition, recorded(done.LastRecorded))
			fmt.Fprintf(p.Out, "Events recorded from now on will stand where others did that are not in the backup. Read models that have seen those\n"+
				"are wrong: when Aftercare runs on this data again, run aftercare rebuild first. Checkpoints of others begin anew, too.\n")
			return nil
		},
	}
}

func (p program) eventnodeVerify(c *config) *cli.Command {
	var asJSON bool
	return &cli.Command{
		Name:      "verify",
		Usage:     "read every event of a backup or of the data folder, also while the node runs, and name what is damaged",
		ArgsUsage: "[FOLDER]",
		Flags:     []cli.Flag{jsonFlag(&asJSON)},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			dir := c.path("events")
			switch cmd.Args().Len() {
			case 0:
			case 1:
				dir = cmd.Args().First()
			default:
				return usage("verify takes one folder")
			}
			progress, stop := p.byteMeter("verify")
			v, err := storage.Verify(ctx, dir, progress)
			stop()
			if asJSON {
				return p.printVerified(v, err)
			}
			if err != nil {
				return err
			}
			fmt.Fprintf(p.Out, "whole: %d events of %d streams up to position %d, recorded %s; %d removed; index: %s\n",
				v.Events, v.Streams, v.LastPosition, recorded(v.LastRecorded), v.Removed, v.Index)
			if v.Unfinished > 0 {
				fmt.Fprintf(p.Out, "%d bytes behind that were never acknowledged and do not count\n", v.Unfinished)
			}
			return nil
		},
	}
}

// printVerified prints figures even when there is damage, and then names that.
func (p program) printVerified(v storage.Verified, err error) error {
	answer := struct {
		storage.Verified
		Damage   string  `json:"damage,omitempty"`
		Position *uint64 `json:"damagedPosition,omitempty"`
	}{Verified: v}
	if err != nil {
		answer.Damage = p.say(err)
	}
	if damage, ok := errors.AsType[*storage.CorruptError](err); ok {
		answer.Position = &damage.Position
	}
	return errors.Join(p.printJSON(answer, nil), err)
}

func (p program) eventnodeScavenge(c *config) *cli.Command {
	var asJSON bool
	return &cli.Command{
		Name:  "scavenge",
		Usage: "free the space of events that $maxAge, $maxCount, $tb and deletion hide; the node must not run",
		Flags: []cli.Flag{jsonFlag(&asJSON)},
		Action: func(ctx context.Context, _ *cli.Command) error {
			dir := c.path("events")
			if _, err := os.Stat(filepath.Join(dir, storage.LogName)); err != nil {
				return fmt.Errorf("scavenge: %w", err) // Open would make an empty log, in the way of a restore
			}
			store, err := storage.Open(storage.Options{Dir: dir, Now: c.now, Logger: c.logger})
			if errors.Is(err, storage.ErrLocked) {
				return fmt.Errorf("%w; a running node scavenges itself when it gets POST /admin/scavenge", err)
			}
			if err != nil {
				return err
			}
			stop := make(chan struct{})
			var running sync.WaitGroup
			running.Go(func() { store.Run(stop) })
			done, err := store.Scavenge(ctx)
			close(stop)
			running.Wait()
			if err = errors.Join(err, store.Close()); err != nil || asJSON {
				return p.printJSON(done, err)
			}
			fmt.Fprintf(p.Out, "removed %d events (%d bytes) in %s; %d bytes on disk are free, %d are in use\n",
				done.Events, done.Bytes, done.Took.Round(time.Millisecond), done.Freed, done.OnDisk)
			return nil
		},
	}
}

func jsonFlag(to *bool) cli.Flag {
	return &cli.BoolFlag{Name: "json", Usage: "print the figures as JSON", Destination: to}
}

// printJSON prints an answer, unless there is an error to return.
func (p program) printJSON(answer any, err error) error {
	if err != nil {
		return err
	}
	out := json.NewEncoder(p.Out)
	out.SetIndent("", "  ")
	return out.Encode(answer)
}

// byteMeter shows how much of how much is done until stop is called.
func (p program) byteMeter(title string) (progress func(done, total uint64), stop func()) {
	var done, total atomic.Int64
	stop = meter(p.Err, title, func() (int64, int64, string) {
		return done.Load(), total.Load(), fmt.Sprintf("%d of %d MB", done.Load()>>20, total.Load()>>20)
	})
	return func(d, t uint64) {
		done.Store(int64(d))  //nolint:gosec // files are smaller than that
		total.Store(int64(t)) //nolint:gosec // as above
	}, stop
}

func recorded(at time.Time) string {
	if at.IsZero() {
		return "never"
	}
	return at.Format(time.RFC3339Nano)
}
