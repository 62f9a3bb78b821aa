package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
)

// operation is one call of the API: what it sends and which statuses its callers know.
type operation struct {
	method, path string
	success      int
	// The statuses that have an error type of their own; every other is an APIError.
	typed []int
}

var (
	createKey  = operation{http.MethodPost, "/keys", 201, []int{400, 401, 403, 429, 500}}
	listKeys   = operation{http.MethodGet, "/keys", 200, []int{400, 401, 429, 500}}
	getKey     = operation{http.MethodGet, "/keys/{hash}", 200, []int{401, 404, 429, 500}}
	updateKey  = operation{http.MethodPatch, "/keys/{hash}", 200, []int{400, 401, 404, 429, 500}}
	deleteKey  = operation{http.MethodDelete, "/keys/{hash}", 200, []int{401, 404, 429, 500}}
	currentKey = operation{http.MethodGet, "/key", 200, []int{401, 500}}
	createBYOK = operation{http.MethodPost, "/byok", 201, []int{400, 401, 403, 500}}
	listBYOK   = operation{http.MethodGet, "/byok", 200, []int{400, 401, 500}}
	getBYOK    = operation{http.MethodGet, "/byok/{id}", 200, []int{401, 404, 500}}
	updateBYOK = operation{http.MethodPatch, "/byok/{id}", 200, []int{400, 401, 403, 404, 500}}
	deleteBYOK = operation{http.MethodDelete, "/byok/{id}", 200, []int{401, 404, 500}}

	createWorkspace  = operation{http.MethodPost, "/workspaces", 201, []int{400, 401, 403, 500}}
	listWorkspaces   = operation{http.MethodGet, "/workspaces", 200, []int{401, 500}}
	getWorkspace     = operation{http.MethodGet, "/workspaces/{id}", 200, []int{401, 404, 500}}
	updateWorkspace  = operation{http.MethodPatch, "/workspaces/{id}", 200, []int{400, 401, 403, 404, 500}}
	deleteWorkspace  = operation{http.MethodDelete, "/workspaces/{id}", 200, []int{400, 401, 403, 404, 500}}
	listBudgets      = operation{http.MethodGet, "/workspaces/{id}/budgets", 200, []int{401, 404, 500}}
	getBudget        = operation{http.MethodGet, "/workspaces/{id}/budgets/{interval}", 200, []int{400, 401, 404, 500}}
	setBudget        = operation{http.MethodPut, "/workspaces/{id}/budgets/{interval}", 200, []int{400, 401, 404, 500}}
	deleteBudget     = operation{http.MethodDelete, "/workspaces/{id}/budgets/{interval}", 200, []int{400, 401, 404, 500}}
	listMembers      = operation{http.MethodGet, "/workspaces/{id}/members", 200, []int{401, 403, 404, 500}}
	addMembers       = operation{http.MethodPost, "/workspaces/{id}/members/add", 200, []int{400, 401, 403, 404, 500}}
	removeMembers    = operation{http.MethodPost, "/workspaces/{id}/members/remove", 200, []int{400, 401, 403, 404, 500}}
	listOrganization = operation{http.MethodGet, "/organization/members", 200, []int{401, 404, 500}}

	sendChat = operation{http.MethodPost, "/chat/completions", 200,
		[]int{400, 401, 402, 403, 404, 408, 413, 422, 429, 500, 502, 503, 524, 529}}
)

// call makes the call of that name, its arguments read as the type that the SDK takes.
func call(client *client, name string, arguments json.RawMessage) (any, error) {
	switch name {
	case "keys.create":
		return send[createKeyAnswer](client, createKey, arguments, func(given newKey) request {
			return request{body: given}
		})
	case "keys.list":
		return send[listKeysAnswer](client, listKeys, arguments, func(given keyFilter) request {
			return request{query: given.values()}
		})
	case "keys.get":
		return send[keyAnswer](client, getKey, arguments, func(given keyHash) request {
			return request{named: given.Hash}
		})
	case "keys.update":
		return send[keyAnswer](client, updateKey, arguments, func(given keyChange) request {
			return request{named: given.Hash, body: given.keyChanges}
		})
	case "keys.delete":
		return send[deleteKeyAnswer](client, deleteKey, arguments, func(given keyHash) request {
			return request{named: given.Hash}
		})
	case "key":
		return send[currentKeyAnswer](client, currentKey, arguments, func(struct{}) request { return request{} })
	case "byok.create":
		return send[byokAnswer](client, createBYOK, arguments, func(given newBYOK) request {
			return request{body: given}
		})
	case "byok.list":
		return byokPages(client, arguments)
	case "byok.get":
		return send[byokAnswer](client, getBYOK, arguments, func(given byokID) request {
			return request{named: given.ID}
		})
	case "byok.update":
		return send[byokAnswer](client, updateBYOK, arguments, func(given byokChange) request {
			return request{named: given.ID, body: given.byokChanges}
		})
	case "byok.delete":
		return send[deleteBYOKAnswer](client, deleteBYOK, arguments, func(given byokID) request {
			return request{named: given.ID}
		})
	case "workspaces.create":
		return send[workspaceAnswer](client, createWorkspace, arguments, func(given newWorkspace) request {
			return request{body: given}
		})
	case "workspaces.list":
		given, err := given[pageFilter](arguments)
		if err != nil {
			return nil, err
		}
		return pages[workspace](client, listWorkspaces, request{}, given)
	case "workspaces.get":
		return send[workspaceAnswer](client, getWorkspace, arguments, func(given workspaceID) request {
			return request{named: given.ID}
		})
	case "workspaces.update":
		return send[workspaceAnswer](client, updateWorkspace, arguments, func(given workspaceChange) request {
			return request{named: given.ID, body: given.workspaceChanges}
		})
	case "workspaces.delete":
		return send[deleteWorkspaceAnswer](client, deleteWorkspace, arguments, func(given workspaceID) request {
			return request{named: given.ID}
		})
	case "budgets.list":
		return send[listBudgetsAnswer](client, listBudgets, arguments, func(given workspaceRef) request {
			return request{named: given.WorkspaceRef}
		})
	case "budgets.get":
		return send[budgetAnswer](client, getBudget, arguments, budgetName.request)
	case "budgets.set":
		return send[budgetAnswer](client, setBudget, arguments, func(given newBudget) request {
			asked := given.budgetName.request()
			asked.body = given.budgetSettings
			return asked
		})
	case "budgets.delete":
		return send[deleteBudgetAnswer](client, deleteBudget, arguments, budgetName.request)
	case "members.list":
		given, err := given[memberFilter](arguments)
		if err != nil {
			return nil, err
		}
		return pages[workspaceMember](client, listMembers, request{named: given.ID}, given.pageFilter)
	case "members.add":
		return send[addMembersAnswer](client, addMembers, arguments, memberChange.request)
	case "members.remove":
		return send[removeMembersAnswer](client, removeMembers, arguments, memberChange.request)
	case "organization.members":
		given, err := given[pageFilter](arguments)
		if err != nil {
			return nil, err
		}
		return pages[organizationMember](client, listOrganization, request{}, given)
	case "chat":
		return chat(client, arguments)
	}
	return nil, fmt.Errorf("no call %q", name)
}

// send makes one call and reads the whole of its answer as an Answer.
func send[Answer, Arguments any](
	client *client, operation operation, arguments json.RawMessage, ask func(Arguments) request,
) (*Answer, error) {
	given, err := given[Arguments](arguments)
	if err != nil {
		return nil, err
	}
	response, err := client.send(operation, ask(given))
	if err != nil {
		return nil, err
	}
	return whole[Answer](response)
}

func chat(client *client, arguments json.RawMessage) (any, error) {
	given, err := given[chatRequest](arguments)
	if err != nil {
		return nil, err
	}
	response, err := client.send(sendChat, request{body: given, accept: "application/json, text/event-stream"})
	if err != nil {
		return nil, err
	}
	if response.mediaType == "text/event-stream" {
		return events[chatChunk](response)
	}
	return whole[chatResult](response)
}

// given reads what clients.py asks for; a name the type lacks is a mistake of the suite's.
func given[Arguments any](text json.RawMessage) (Arguments, error) {
	var arguments Arguments
	err := strictly(text, &arguments)
	return arguments, err
}

func (filter keyFilter) values() url.Values {
	values := url.Values{}
	if filter.Offset != nil {
		values.Set("offset", strconv.FormatInt(*filter.Offset, 10))
	}
	if filter.WorkspaceID != nil {
		values.Set("workspace_id", *filter.WorkspaceID)
	}
	if filter.IncludeDisabled != nil {
		values.Set("include_disabled", strconv.FormatBool(*filter.IncludeDisabled))
	}
	return values
}
