package eventnode_test

const childDir = "EVENTNODE_TEST_DIR"

func runChild(string) int { return 0 }
