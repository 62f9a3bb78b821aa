package main

import (
	"encoding/json"
	"net/url"
)

// Arguments, under the names that clients.py and the wire share.

type byokID struct {
	ID string `json:"id"`
}

type byokFilter struct {
	pageFilter
	WorkspaceID *string `json:"workspace_id"`
	Provider    *string `json:"provider"`
}

type newBYOK struct {
	Provider    string  `json:"provider"`
	Key         string  `json:"key"`
	WorkspaceID *string `json:"workspace_id,omitzero"`
	byokSettings
}

type byokChange struct {
	byokID
	byokChanges
}

type byokChanges struct {
	Key *string `json:"key,omitzero"`
	byokSettings
}

type byokSettings struct {
	Name                setting[string]   `json:"name,omitzero"`
	Disabled            *bool             `json:"disabled,omitzero"`
	IsFallback          *bool             `json:"is_fallback,omitzero"`
	AllowedModels       setting[[]string] `json:"allowed_models,omitzero"`
	AllowedAPIKeyHashes setting[[]string] `json:"allowed_api_key_hashes,omitzero"`
	AllowedUserIds      setting[[]string] `json:"allowed_user_ids,omitzero"`
}

// Answers.

type byokAnswer struct {
	Data byokKey `json:"data"`
}

type deleteBYOKAnswer struct {
	Deleted bool `json:"deleted"`
}

type byokKey struct {
	ID                  string    `json:"id"`
	Provider            string    `json:"provider"`
	WorkspaceID         *string   `json:"workspace_id" may:"be null"`
	Label               string    `json:"label"`
	Name                *string   `json:"name" may:"be null or absent"`
	Disabled            bool      `json:"disabled"`
	IsFallback          bool      `json:"is_fallback"`
	SortOrder           int64     `json:"sort_order"`
	AllowedModels       *[]string `json:"allowed_models" may:"be null"`
	AllowedAPIKeyHashes *[]string `json:"allowed_api_key_hashes" may:"be null"`
	AllowedUserIds      *[]string `json:"allowed_user_ids" may:"be null"`
	CreatedAt           string    `json:"created_at"`
}

func byokPages(client *client, arguments json.RawMessage) (any, error) {
	filter, err := given[byokFilter](arguments)
	if err != nil {
		return nil, err
	}
	return pages[byokKey](client, listBYOK, request{query: filter.values()}, filter.pageFilter)
}

func (filter byokFilter) values() url.Values {
	values := url.Values{}
	for name, text := range map[string]*string{"workspace_id": filter.WorkspaceID, "provider": filter.Provider} {
		if text != nil {
			values.Set(name, *text)
		}
	}
	return values
}
