// Checks a history of compare-and-swap calls of one store for linearizability, document by document.
// It reads one call a line as JSON, and prints the documents whose history no order explains.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/anishathalye/porcupine"
)

// One call: what was asked for and what came back.
type call struct {
	Client   int    `json:"client"`
	Document string `json:"document"`
	Op       string `json:"op"`
	Version  int    `json:"version"`
	Value    string `json:"value"`
	Result   string `json:"result"`
	// What a read found; version 0 is no document.
	FoundVersion int    `json:"foundVersion"`
	FoundValue   string `json:"foundValue"`
	Call         int64  `json:"call"`
	Return       int64  `json:"return"`
}

type state struct {
	version int
	value   string
}

// The states after a call that changes a document, if it is made.
func made(before state, c call) (state, bool) {
	switch c.Op {
	case "create":
		return state{1, c.Value}, before.version == 0
	case "replace":
		return state{c.Version + 1, c.Value}, before.version == c.Version && c.Version > 0
	case "delete":
		return state{}, before.version == c.Version && c.Version > 0
	}
	return before, false
}

func step(s, input, _ interface{}) []interface{} {
	before, c := s.(state), input.(call)
	after, possible := made(before, c)
	switch c.Result {
	case "made":
		if possible {
			return []interface{}{after}
		}
	case "unknown":
		if possible {
			return []interface{}{before, after}
		}
		return []interface{}{before}
	case "refused":
		if !possible {
			return []interface{}{before}
		}
	case "found":
		if before.version == c.FoundVersion && before.value == c.FoundValue {
			return []interface{}{before}
		}
	}
	return nil
}

func main() {
	var operations []porcupine.Operation
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(make([]byte, 1024*1024), 1024*1024)
	for lines.Scan() {
		var c call
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		operations = append(operations, porcupine.Operation{
			ClientId: c.Client, Input: c, Output: c, Call: c.Call, Return: c.Return,
		})
	}
	model := porcupine.NondeterministicModel{
		Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
			byDocument := map[string][]porcupine.Operation{}
			for _, operation := range history {
				document := operation.Input.(call).Document
				byDocument[document] = append(byDocument[document], operation)
			}
			var parts [][]porcupine.Operation
			for _, part := range byDocument {
				parts = append(parts, part)
			}
			return parts
		},
		Init: func() []interface{} { return []interface{}{state{}} },
		Step: step,
	}
	result := porcupine.CheckOperationsTimeout(model.ToModel(), operations, 60*time.Second)
	fmt.Println(result)
	if result != porcupine.Ok {
		os.Exit(1)
	}
}
