package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v3"
)

func (p program) query(c *config) *cli.Command {
	var api, file, variables string
	return &cli.Command{
		Name:      "query",
		Usage:     "send a GraphQL operation to the running API and print the answer",
		ArgsUsage: "[OPERATION]",
		Flags: []cli.Flag{
			apiFlag(&api),
			&cli.StringFlag{Name: "file", Aliases: []string{"f"}, Usage: "read the operation from `FILE`; - is standard input", Destination: &file},
			&cli.StringFlag{Name: "variables", Usage: "a JSON object", Destination: &variables},
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			operation := strings.Join(cmd.Args().Slice(), " ")
			switch {
			case file == "-":
				text, err := io.ReadAll(p.In)
				if err != nil {
					return err
				}
				operation = string(text)
			case file != "":
				text, err := os.ReadFile(file)
				if err != nil {
					return err
				}
				operation = string(text)
			}
			if strings.TrimSpace(operation) == "" {
				return usage("query takes an operation, as an argument or by --file")
			}
			vars := map[string]any{}
			if variables != "" {
				if err := json.Unmarshal([]byte(variables), &vars); err != nil {
					return usage("--variables: %v", err)
				}
			}
			answer, err := p.ask(ctx, c, api, operation, vars)
			if err != nil {
				return err
			}
			var pretty bytes.Buffer
			if err := json.Indent(&pretty, answer, "", "  "); err != nil {
				return fmt.Errorf("the API answered no JSON: %w", err)
			}
			fmt.Fprintln(p.Out, pretty.String())
			return graphErrors(answer)
		},
	}
}

func apiFlag(to *string) cli.Flag {
	return &cli.StringFlag{Name: "api", Usage: "`URL` of the API; default: the instance that runs on the data directory", Destination: to, Sources: cli.EnvVars("AFTERCARE_API_URL")}
}

// queryTimeout bounds one operation sent by the command line.
const queryTimeout = time.Minute

// ask posts an operation to the API and returns the whole answer.
func (p program) ask(ctx context.Context, c *config, api, operation string, variables map[string]any) ([]byte, error) {
	api, err := c.apiURL(api)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(map[string]any{"query": operation, "variables": variables})
	if err != nil {
		return nil, fmt.Errorf("write request: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, api, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", api, err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/graphql-response+json, application/json")
	request.Header.Set("Accept-Language", p.words().Tag())
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask the API: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("read the API's answer: %w", err)
	}
	return answer, nil
}

// graphErrors returns the top-level errors of an answer as one error.
func graphErrors(answer []byte) error {
	var a struct {
		Errors []struct{ Message string }
	}
	if err := json.Unmarshal(answer, &a); err != nil {
		return fmt.Errorf("the API answered no JSON: %w", err)
	}
	var all []error
	for _, e := range a.Errors {
		all = append(all, errors.New(e.Message))
	}
	return errors.Join(all...)
}
