// Package page cuts ordered lists into pages by the key of their rows, so that a page stays where it is while rows come
// and go, and the last page costs what the first one does.
package page
