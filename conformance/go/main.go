// This driver stands in for OpenRouter's Go SDK, whose module can't be fetched where these tests run: it is not that SDK.
// It makes the calls that clients.py asks for, with the standard library alone, and reads each answer into the types of
// the SDK's version 0.7.67: the same names, the same members that may be null or left out, the same error for a status.
// Where the SDK reads a missing member as nothing (spend that was left out as nothing spent), this refuses the answer.
//
// It reads a call a line on standard input and answers each with a line, as the other drivers do: clients.py has the form.
package main

import (
	"bufio"
	"encoding/json"
	"log"
	"os"
)

// question is one call that clients.py asks for.
type question struct {
	Call      string          `json:"call"`
	BaseURL   string          `json:"base_url"`
	Key       string          `json:"key"`
	Arguments json.RawMessage `json:"arguments"`
}

// reply is what came of it: a value or an error, and what crossed the wire.
type reply struct {
	Value     any        `json:"value,omitempty"`
	Error     *failure   `json:"error,omitempty"`
	Exchanges []exchange `json:"exchanges"`
}

func main() {
	asked := json.NewDecoder(bufio.NewReader(os.Stdin))
	replies := json.NewEncoder(os.Stdout)
	for asked.More() {
		var question question
		if err := asked.Decode(&question); err != nil {
			log.Fatal(err)
		}
		if err := replies.Encode(answer(question)); err != nil {
			log.Fatal(err)
		}
	}
}

func answer(asked question) reply {
	client := &client{baseURL: asked.BaseURL, key: asked.Key, exchanges: []exchange{}}
	value, err := call(client, asked.Call, asked.Arguments)
	if err != nil {
		return reply{Error: asFailure(err), Exchanges: client.exchanges}
	}
	return reply{Value: value, Exchanges: client.exchanges}
}
