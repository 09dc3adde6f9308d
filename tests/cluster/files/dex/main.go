// The OpenID Connect provider dex, with users and clients in memory. Dex's own program also carries the storages of
// databases, whose clients no longer build.
package main

import (
	"context"
	"encoding/json"
	"log"
	"net/http"
	"os"

	"github.com/dexidp/dex/server"
	"github.com/dexidp/dex/storage"
	"github.com/dexidp/dex/storage/memory"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/sirupsen/logrus"
	"golang.org/x/crypto/bcrypt"
)

// What the environment variable DEX has as JSON.
type config struct {
	Issuer    string
	Clients   []storage.Client
	Passwords map[string]string // by email address
}

func main() {
	var given config
	if err := json.Unmarshal([]byte(os.Getenv("DEX")), &given); err != nil {
		log.Fatalf("the variable DEX is not the configuration: %v", err)
	}
	logger := logrus.New()
	var users []storage.Password
	for email, password := range given.Passwords {
		hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.DefaultCost)
		if err != nil {
			log.Fatal(err)
		}
		users = append(users, storage.Password{Email: email, Hash: hash, Username: email, UserID: email})
	}
	held := storage.WithStaticClients(memory.New(logger), given.Clients)
	held = storage.WithStaticPasswords(held, users, logger)
	local := storage.Connector{ID: server.LocalConnector, Name: "Email", Type: server.LocalConnector}
	held = storage.WithStaticConnectors(held, []storage.Connector{local})
	made, err := server.NewServer(context.Background(), server.Config{
		Issuer:             given.Issuer,
		Storage:            held,
		SkipApprovalScreen: true,
		Web:                server.WebConfig{Dir: "/usr/share/dex/web"},
		Logger:             logger,
		PrometheusRegistry: prometheus.NewRegistry(),
	})
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe(":5556", made))
}
