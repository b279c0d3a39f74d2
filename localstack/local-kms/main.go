// Command local-kms serves github.com/nsmithuk/local-kms on one loopback address; upstream's own command listens on
// every interface. It adds GET /health, POST /reset (forgets every key) and a stop on SIGTERM or SIGINT with exit code 0.
//
// Environment: KMS_LISTEN (host:port, loopback only), KMS_REGION, KMS_ACCOUNT_ID, KMS_DATA_PATH (a folder).
// Upstream's seed files are not read: keys are created through the API. "local-kms version" prints upstream's version.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"github.com/nsmithuk/local-kms/src"
	"github.com/nsmithuk/local-kms/src/config"
	"github.com/nsmithuk/local-kms/src/data"
)

const upstream = "github.com/nsmithuk/local-kms"

func main() {
	if len(os.Args) == 2 && os.Args[1] == "version" {
		fmt.Println(version())
		return
	}
	config.AWSRegion = env("KMS_REGION", "us-east-1")
	config.AWSAccountId = env("KMS_ACCOUNT_ID", "111122223333")
	// A folder of our own inside the given one, since reset removes it whole.
	config.DatabasePath = filepath.Join(env("KMS_DATA_PATH", "local-kms-data"), "leveldb")
	if err := serve(env("KMS_LISTEN", "127.0.0.1:8080")); err != nil {
		log.Fatalf("local-kms: %v", err)
	}
}

func serve(address string) error {
	if err := requireLoopback(address); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	keys := &store{database: data.NewDatabase(config.DatabasePath)}
	defer keys.close()
	server := &http.Server{Handler: routes(keys), ReadHeaderTimeout: 10 * time.Second}

	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer cancel()
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		deadline, release := context.WithTimeout(context.Background(), 3*time.Second)
		defer release()
		stopped <- server.Shutdown(deadline)
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}

func routes(keys *store) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("POST /reset", func(w http.ResponseWriter, _ *http.Request) {
		if err := keys.reset(); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		keys.mutex.RLock()
		defer keys.mutex.RUnlock()
		src.HandleRequest(w, r, keys.database)
	})
	return mux
}

// store is the database, exchanged as a whole by reset while no request is using it.
type store struct {
	mutex    sync.RWMutex
	database *data.Database
}

func (s *store) reset() error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.database.Close()
	err := os.RemoveAll(config.DatabasePath)
	s.database = data.NewDatabase(config.DatabasePath)
	return err
}

func (s *store) close() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.database.Close()
}

func requireLoopback(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("KMS_LISTEN: wanted a loopback address such as 127.0.0.1:8080, got %q", address)
	}
	return nil
}

func version() string {
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, module := range build.Deps {
			if module.Path == upstream {
				return module.Version
			}
		}
	}
	return "unknown"
}

func env(name, fallback string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return fallback
}
