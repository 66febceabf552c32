package bench

func handleLargeDossier() error { return nil }
