package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/urfave/cli/v3"

	"aftercare/deploy/eventnode"
)

func (p program) eventnode(c *config) *cli.Command {
	var memory bool
	var advertise, certificate, key, users string
	return &cli.Command{
		Name:  "eventnode",
		Usage: "run the embedded event node alone; any EventStoreDB client can talk to it",
		Commands: []*cli.Command{
			p.eventnodeBackup(c), p.eventnodeRestore(c), p.eventnodeVerify(c), p.eventnodeScavenge(c),
		},
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "memory", Usage: "keep everything in memory", Destination: &memory},
			&cli.StringFlag{Name: "advertise", Usage: "`HOST:PORT` that gossip names", Destination: &advertise},
			&cli.StringFlag{Name: "tls-certificate", Usage: "encrypt with the certificate in `FILE` (PEM)", Destination: &certificate},
			&cli.StringFlag{Name: "tls-key", Usage: "`FILE` with the key of that certificate (PEM)", Destination: &key},
			&cli.StringFlag{Name: "users", Usage: "only those in `FILE` may call; made by htpasswd -B; needs TLS", Destination: &users},
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			listen, err := free(c.NodeListen, !cmd.IsSet("node-listen"))
			if err != nil {
				return err
			}
			node, err := eventnode.Open(eventnode.Options{ //nolint:contextcheck // opening files is not to be interrupted
				Dir: c.path("events"), Listen: listen, Advertise: advertise, InMemory: memory, Logger: c.logger,
				CertificateFile: certificate, KeyFile: key, UsersFile: users,
			})
			if err != nil {
				return err
			}
			defer growth(eventnode.GCPercent)()
			fmt.Fprintln(p.Out, "The event node listens at", node.URL())
			return errors.Join(node.Run(ctx), node.Close())
		},
	}
}
