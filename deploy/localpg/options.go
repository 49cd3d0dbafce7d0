package localpg

import (
	"log/slog"
	"maps"
	"slices"
)

// Options says where a cluster is and how it runs.
type Options struct {
	// Dir is the folder of the cluster. It is created when it does not exist.
	Dir string
	// Port is the port on loopback. Defaults to a free port that is chosen once and kept for as long as it stays free.
	Port int
	// Logger defaults to one that discards.
	Logger *slog.Logger
	// Settings are added to, and win over, the settings for a laptop. Those that keep the server private cannot be changed.
	Settings map[string]string
	// Fast gives up surviving a crash of the machine for speed. It is for tests.
	Fast bool
}

func (o Options) logger() *slog.Logger {
	if o.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return o.Logger
}

// arguments returns the server's command line after its name.
func (o Options) arguments(cluster, socket, port string) []string {
	settings := map[string]string{
		"timezone":             "UTC",
		"log_timezone":         "UTC",
		"max_connections":      "100",
		"shared_buffers":       "256MB",
		"work_mem":             "32MB",
		"maintenance_work_mem": "256MB",
		"max_wal_size":         "4GB",
		"checkpoint_timeout":   "15min",
		"wal_level":            "minimal",
		"max_wal_senders":      "0",
		"random_page_cost":     "1.1",
		"jit":                  "off",
	}
	if o.Fast {
		maps.Copy(settings, map[string]string{
			"fsync":              "off",
			"synchronous_commit": "off",
			"full_page_writes":   "off",
			"shared_buffers":     "128MB",
			"max_connections":    "300",
			"autovacuum":         "off",
		})
	}
	maps.Copy(settings, o.Settings)
	settings["listen_addresses"] = "127.0.0.1"
	settings["unix_socket_directories"] = socket
	settings["password_encryption"] = "scram-sha-256"
	settings["port"] = port

	args := []string{"-D", cluster}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		args = append(args, "-c", name+"="+settings[name])
	}
	return args
}
