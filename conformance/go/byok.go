package main

import (
	"encoding/json"
	"net/url"
	"strconv"
)

// Arguments, under the names that clients.py and the wire share.

type byokID struct {
	ID string `json:"id"`
}

type byokFilter struct {
	Offset      *int64  `json:"offset"`
	Limit       *int64  `json:"limit"`
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

type listBYOKAnswer struct {
	Data       []byokKey `json:"data"`
	TotalCount int64     `json:"total_count"`
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

// byokPages reads a list to its end, as the SDK does: the next page begins behind what was read, until one is not full.
func byokPages(client *client, arguments json.RawMessage) (any, error) {
	filter, err := given[byokFilter](arguments)
	if err != nil {
		return nil, err
	}
	limit := int64(50)
	if filter.Limit != nil {
		limit = *filter.Limit
	}
	list := []byokKey{}
	for {
		response, err := client.send(listBYOK, request{query: filter.values()})
		if err != nil {
			return nil, err
		}
		page, err := whole[listBYOKAnswer](response)
		if err != nil {
			return nil, err
		}
		list = append(list, page.Data...)
		if int64(len(page.Data)) < limit {
			return list, nil
		}
		next := int64(len(page.Data))
		if filter.Offset != nil {
			next += *filter.Offset
		}
		filter.Offset = &next
	}
}

func (filter byokFilter) values() url.Values {
	values := url.Values{}
	for name, number := range map[string]*int64{"offset": filter.Offset, "limit": filter.Limit} {
		if number != nil {
			values.Set(name, strconv.FormatInt(*number, 10))
		}
	}
	for name, text := range map[string]*string{"workspace_id": filter.WorkspaceID, "provider": filter.Provider} {
		if text != nil {
			values.Set(name, *text)
		}
	}
	return values
}
