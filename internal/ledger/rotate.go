package ledger

import "time"

// RotateKeyFile adds a generation of each key. From their next start processes write and give receipts
// with the new ones, and sign checkpoints with the new and the former ones: whoever has the policy of
// before can go on verifying until they have the next one. The former keys stay in the file, since
// what they wrote is still checked.
func RotateKeyFile(path string) error {
	file, err := readKeyFile(path)
	if err != nil {
		return err
	}
	if len(file.Logs) == 0 || len(file.Receipts) == 0 {
		return errPart
	}
	now := time.Now().UTC().Truncate(time.Second) // a note for people; nothing is decided by it
	for _, list := range []*[]fileSecret{&file.Writers, &file.Logs, &file.Receipts} {
		next := newSecret((*list)[len(*list)-1].Generation + 1)
		*list = append(*list, fileSecret{next.generation, now, next.key})
	}
	return file.replace(path)
}
