// Checks checkpoints and proofs with Go's own implementations of C2SP notes and RFC 6962 trees (golang.org/x/mod/sumdb).
//
// Reads one JSON object a line:
//   {"vkey": …, "note": …}                                                  a checkpoint
//   {"vkey": …, "note": …, "index": 5, "leaf": hex, "path": [hex, …]}       with an inclusion proof
//   {"vkey": …, "note": …, "first": 3, "first_root": hex, "path": [hex, …]} with a consistency proof from an older tree
// and writes one line for each: "ok", or "refused: " and why.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type item struct {
	VKey      string   `json:"vkey"`
	Note      string   `json:"note"`
	Index     *int64   `json:"index"`
	Leaf      string   `json:"leaf"`
	First     *int64   `json:"first"`
	FirstRoot string   `json:"first_root"`
	Path      []string `json:"path"`
}

func parseHash(text string) (tlog.Hash, error) {
	var hash tlog.Hash
	bytes, err := hex.DecodeString(text)
	if err != nil {
		return hash, err
	}
	if len(bytes) != len(hash) {
		return hash, fmt.Errorf("hash of %d bytes", len(bytes))
	}
	copy(hash[:], bytes)
	return hash, nil
}

func parseHashes(texts []string) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(texts))
	for i, text := range texts {
		hash, err := parseHash(text)
		if err != nil {
			return nil, err
		}
		hashes[i] = hash
	}
	return hashes, nil
}

func check(it item) error {
	verifier, err := note.NewVerifier(it.VKey)
	if err != nil {
		return err
	}
	opened, err := note.Open([]byte(it.Note), note.VerifierList(verifier))
	if err != nil {
		return err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		return fmt.Errorf("not a checkpoint")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return err
	}
	rootBytes, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil {
		return err
	}
	root, err := parseHash(hex.EncodeToString(rootBytes))
	if err != nil {
		return err
	}
	path, err := parseHashes(it.Path)
	if err != nil {
		return err
	}
	if it.Index != nil {
		leaf, err := parseHash(it.Leaf)
		if err != nil {
			return err
		}
		return tlog.CheckRecord(path, size, root, *it.Index, leaf)
	}
	if it.First != nil {
		firstRoot, err := parseHash(it.FirstRoot)
		if err != nil {
			return err
		}
		return tlog.CheckTree(path, size, root, *it.First, firstRoot)
	}
	return nil
}

func main() {
	scanner := bufio.NewScanner(os.Stdin)
	scanner.Buffer(make([]byte, 1<<20), 1<<20)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for scanner.Scan() {
		var it item
		err := json.Unmarshal(scanner.Bytes(), &it)
		if err == nil {
			err = check(it)
		}
		if err == nil {
			fmt.Fprintln(out, "ok")
		} else {
			fmt.Fprintln(out, "refused: "+strings.ReplaceAll(err.Error(), "\n", " "))
		}
	}
	if err := scanner.Err(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
