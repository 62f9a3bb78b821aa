package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// exchange is one request and the raw answer to it, as clients.py holds them against the contract.
type exchange struct {
	Method    string `json:"method"`
	Path      string `json:"path"`
	Status    int    `json:"status"`
	MediaType string `json:"media_type"`
	Text      string `json:"text"`
}

// client sends with one key and keeps what crossed the wire. It never tries again by itself.
type client struct {
	baseURL, key string
	exchanges    []exchange
}

type request struct {
	// What stands in the path's places for a hash or an id, and for an interval.
	named, interval string
	accept          string
	query           url.Values
	body            any
}

// response is an answer of the status that means success, its body still to be read through `body`.
type response struct {
	mediaType string
	body      io.Reader
	// Called when the body has been read to its end or given up.
	done func()
}

func (client *client) send(operation operation, asked request) (*response, error) {
	sent, err := client.request(operation, asked)
	if err != nil {
		return nil, err
	}
	got, err := (&http.Client{Timeout: time.Minute}).Do(sent)
	if err != nil {
		return nil, fmt.Errorf("error sending request: %w", err)
	}
	media, _, _ := mime.ParseMediaType(got.Header.Get("Content-Type"))
	raw := &bytes.Buffer{}
	answer := &response{mediaType: media, body: io.TeeReader(got.Body, raw)}
	answer.done = func() {
		io.Copy(io.Discard, answer.body)
		got.Body.Close()
		header := got.Header.Get("Content-Type")
		client.exchanges = append(client.exchanges,
			exchange{sent.Method, sent.URL.Path, got.StatusCode, header, raw.String()})
	}
	if got.StatusCode != operation.success {
		defer answer.done()
		return nil, refusal(operation, got.StatusCode, answer)
	}
	return answer, nil
}

func (client *client) request(operation operation, asked request) (*http.Request, error) {
	var body io.Reader
	if asked.body != nil {
		text, err := json.Marshal(asked.body)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(text)
	}
	named, interval := url.PathEscape(asked.named), url.PathEscape(asked.interval)
	path := strings.NewReplacer("{hash}", named, "{id}", named, "{interval}", interval)
	address := client.baseURL + path.Replace(operation.path)
	if len(asked.query) > 0 {
		address += "?" + asked.query.Encode()
	}
	request, err := http.NewRequest(operation.method, address, body)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+client.key)
	request.Header.Set("Accept", "application/json")
	if asked.accept != "" {
		request.Header.Set("Accept", asked.accept)
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	return request, nil
}

// whole reads an answer that is one JSON body.
func whole[Answer any](response *response) (*Answer, error) {
	defer response.done()
	if response.mediaType != "application/json" {
		return nil, fmt.Errorf("unknown content-type received: %s", response.mediaType)
	}
	text, err := io.ReadAll(response.body)
	if err != nil {
		return nil, err
	}
	answer := new(Answer)
	return answer, decode(text, answer)
}

// events reads a stream to its `[DONE]`, an event at a time as they come.
func events[Event any](response *response) ([]Event, error) {
	defer response.done()
	lines := bufio.NewScanner(response.body)
	lines.Buffer(nil, 1<<20)
	list := []Event{}
	for lines.Scan() {
		data, is := strings.CutPrefix(lines.Text(), "data:")
		data = strings.TrimSpace(data)
		if data == "[DONE]" {
			return list, nil
		}
		if !is {
			continue
		}
		var event Event
		if err := decode([]byte(data), &event); err != nil {
			return nil, err
		}
		list = append(list, event)
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("the stream ended without [DONE]")
}

// refusal reads an answer that is no success, as the error type that its status has.
func refusal(operation operation, status int, response *response) error {
	text, err := io.ReadAll(response.body)
	if err != nil {
		return err
	}
	if !slices.Contains(operation.typed, status) || response.mediaType != "application/json" {
		return &failure{"APIError", status, "API error occurred: " + string(text)}
	}
	var body errorBody
	if err := decode(text, &body); err != nil {
		return err
	}
	return &failure{errorNames[status], status, body.Error.Message}
}
