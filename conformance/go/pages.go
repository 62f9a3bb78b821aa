package main

import (
	"net/url"
	"strconv"
)

// pageFilter is where a page of a list begins, and how long it may be.
type pageFilter struct {
	Offset *int64 `json:"offset"`
	Limit  *int64 `json:"limit"`
}

// page is an answer that is a part of a list.
type page[Item any] struct {
	Data       []Item `json:"data"`
	TotalCount int64  `json:"total_count"`
}

// pages reads a list to its end, as the SDK does: the next page begins behind what was read, until one is not full.
func pages[Item any](client *client, operation operation, asked request, filter pageFilter) ([]Item, error) {
	if asked.query == nil {
		asked.query = url.Values{}
	}
	limit := int64(50)
	if filter.Limit != nil {
		limit = *filter.Limit
		asked.query.Set("limit", strconv.FormatInt(limit, 10))
	}
	offset := int64(0)
	if filter.Offset != nil {
		offset = *filter.Offset
	}
	list := []Item{}
	for {
		if offset > 0 || filter.Offset != nil {
			asked.query.Set("offset", strconv.FormatInt(offset, 10))
		}
		response, err := client.send(operation, asked)
		if err != nil {
			return nil, err
		}
		page, err := whole[page[Item]](response)
		if err != nil {
			return nil, err
		}
		list = append(list, page.Data...)
		if int64(len(page.Data)) < limit {
			return list, nil
		}
		offset += int64(len(page.Data))
	}
}
