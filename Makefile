# Lethe. `make` shows what there is; everything that a target needs it builds.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

# A checkout that belongs to another user, as in containers, must build too.
export GOFLAGS := $(strip $(shell go env GOFLAGS 2>/dev/null) -buildvcs=false)

# Compilers, tests and the servers beside them live for minutes at most: memory is there, time is not.
test: export GOGC ?= 400

# go build with visible progress: $(call build_go,what,folder,output,package,flags)
build_go = cd $(2) && go build -v $(5) -o $(CURDIR)/$(3).new $(4) 2>&1 \
	| awk -v what='$(1)' -v terminal=$$([ -t 1 ] && echo 1 || echo 0) -f $(CURDIR)/tools/progress.awk \
	&& mv $(CURDIR)/$(3).new $(CURDIR)/$(3)

.PHONY: help
help: ## List the targets 列出所有目标
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: bin/temporal bin/lethe ## Start everything on this machine; Ctrl-C stops it 在本机启动全部服务，Ctrl-C 停止
	@exec bin/lethe dev $(ARGS)

.PHONY: build
build: bin/lethe ## Build bin/lethe 构建 bin/lethe

.PHONY: test
test: bin/temporal bin/oidc bin/workflowcheck bin/testbed bin/lethe bin/lethe-failpoints ## Run every check and test on real servers 在真实服务上运行全部检查与测试
	@echo "go vet"
	@go vet ./...
	@go vet -tags failpoints ./internal/failpoint
	@echo "workflowcheck"
	@bin/workflowcheck ./workflows/...
	@flows=$$(mktemp); { [ -n "$(ARGS)" ] || ABSENT=0 web/e2e/run flows; } >$$flows 2>&1 & flowing=$$!; \
	LETHE_TEST_BIN=$(CURDIR)/bin bin/testbed -- go test -vet=off -ldflags '-s -w' -timeout 25m $(ARGS) ./... || tested=1; \
	wait $$flowing || flowed=1; cat $$flows; rm -f $$flows; [ -z "$${tested-}$${flowed-}" ]

.PHONY: test-console
test-console: bin/temporal bin/lethe ## Try the console in a real browser (Node 20.19, Chromium) 在真实浏览器中测试操作界面（需要 Node 20.19 和 Chromium）
	@web/e2e/run

.PHONY: test-flows
test-flows: bin/temporal bin/lethe ## What people do in the console, in a real browser; one file: ARGS=scene 在真实浏览器中测试操作流程；单个文件：ARGS=scene
	@web/e2e/run $(or $(ARGS),flows)

.PHONY: console
console: ## Build the console anew from web/src (Node 20.19) 重新构建控制台（需要 Node 20.19）
	@command -v npm >/dev/null || { echo "make console needs Node 20.19 or newer with npm."; exit 1; }
	@go run ./e2e/client >web/openapi.json
	@cd web && npm ci --ignore-scripts --no-audit --no-fund && npm run --silent types && npm run --silent check && npm run --silent build

.PHONY: lint
lint: bin/golangci-lint bin/workflowcheck ## Run the linters 运行静态检查
	bin/golangci-lint run ./...
	bin/workflowcheck ./workflows/...

.PHONY: bench
bench: bin/temporal bin/lethe ## Measure against the bare counterparts 与裸实现对照测性能
	@go run ./e2e/bench $(ARGS)
	@[ -n "$(ARGS)" ] || $(MAKE) bench-people

.PHONY: bench-large
bench-large: ## Measure the ledger and its search with 10 million entries (half an hour, 25 GB) 用一千万条记录测账本与检索（约半小时，25 GB）
	@go run ./e2e/bench -ledger-only -entries 10000000 -timeout 90m $(ARGS)

.PHONY: bench-people
bench-people: ## Measure lists and searches with a million people (about six minutes, 6 GB) 用一百万人测列表与检索（约六分钟，6 GB）
	@go run ./e2e/bench -people 1000000 -timeout 60m $(ARGS)

.PHONY: openapi
openapi: ## Lint the OpenAPI document and compile a TypeScript client of it (Node 20) 检查 OpenAPI 文档并编译 TypeScript 客户端（需要 Node 20）
	@command -v node >/dev/null && command -v npm >/dev/null || { echo "make openapi needs Node 20 or newer with npm."; exit 1; }
	@go run ./e2e/client >e2e/client/openapi.json
	@cd e2e/client && npm ci --ignore-scripts --no-audit --no-fund && npm run --silent all

# Random histories and servers against models: that many steps, or what of it a test can use.
SOAK ?= 100000

.PHONY: soak
soak: bin/temporal bin/testbed ## Run the random tests at length: SOAK=… 长时间随机测试：SOAK=…
	@LETHE_TEST_SOAK=$(SOAK) LETHE_TEST_BIN=$(CURDIR)/bin bin/testbed -- go test -count=1 -v -timeout 6h $(ARGS) \
		-run 'RandomHistories|RandomLives|GeneratedServers|Mutations|Races' \
		./internal/approval ./internal/retention ./internal/connector/scim ./internal/account ./internal/ledger/verify ./e2e/stranger

# Mutations at once; each compiles a package and runs some of its tests.
JOBS ?= 2

.PHONY: mutants
mutants: bin/temporal bin/testbed ## Put faults in, one at a time, and see that tests notice: ARGS=… JOBS=… 逐个植入错误，检验测试能否发现：ARGS=… JOBS=…
	@go build -o bin/mutants ./e2e/mutants
	@LETHE_TEST_BIN=$(CURDIR)/bin nice -n 10 bin/testbed -- bin/mutants -jobs $(JOBS) $(ARGS)

# A failure repeats with the seed that it printed.
SEED ?= $(shell date +%s)
MINUTES ?= 2

.PHONY: chaos
chaos: bin/temporal bin/lethe bin/lethe-failpoints ## Kill processes at random: SEED=… MINUTES=… 随机杀进程测试：SEED=… MINUTES=…
	@echo "make chaos SEED=$(SEED) MINUTES=$(MINUTES)"
	@LETHE_TEST_BIN=$(CURDIR)/bin LETHE_TEST_CHAOS_SEED=$(SEED) LETHE_TEST_CHAOS_MINUTES=$(MINUTES) \
		go test -count=1 -v -timeout $$(($(MINUTES) + 15))m $(ARGS) ./e2e/chaos

.PHONY: generate
generate: ## Regenerate generated files 重新生成代码
	go generate ./...

.PHONY: fmt
fmt: ## Format the code 格式化代码
	go fmt ./...

.PHONY: tidy-check
tidy-check: ## Check that go.mod files are tidy 检查 go.mod 是否整洁
	go mod tidy -diff
	cd tools && go mod tidy -diff
	cd tools/lint && go mod tidy -diff
	cd tools/oidc && go mod tidy -diff

.PHONY: clean
clean: ## Remove what was built and test data 删除构建产物与测试数据
	rm -rf bin dist .data/test

.PHONY: clean-data
clean-data: ## Forget everything that make run kept; stop it first 清空 make run 的全部数据（请先停止）
	rm -rf .data

# Go knows what changed; these run each time and are quick when nothing did.
.PHONY: FORCE
bin/lethe: FORCE | bin
	@$(call build_go,lethe,.,$@,./cmd/lethe)

bin/lethe-failpoints: FORCE | bin
	@$(call build_go,lethe with failpoints,.,$@,./cmd/lethe,-tags failpoints)

bin/testbed: FORCE | bin
	@$(call build_go,test bed,.,$@,./e2e/testbed)

# Tools are built from their own modules, once per version. The first build of
# the Temporal server takes some minutes.
bin/temporal: tools/go.mod tools/go.sum | bin
	@echo "building the Temporal server (some minutes, once)"
	@$(call build_go,temporal,tools,$@,github.com/temporalio/cli/cmd/temporal,-ldflags=-s)

# An OpenID provider for the tests of the login.
bin/oidc: tools/oidc/go.mod tools/oidc/go.sum $(wildcard tools/oidc/*.go) | bin
	@$(call build_go,OpenID provider,tools/oidc,$@,.)

bin/workflowcheck: tools/lint/go.mod tools/lint/go.sum | bin
	@$(call build_go,workflowcheck,tools/lint,$@,go.temporal.io/sdk/contrib/tools/workflowcheck)

bin/golangci-lint: tools/lint/go.mod tools/lint/go.sum | bin
	@$(call build_go,golangci-lint,tools/lint,$@,github.com/golangci/golangci-lint/v2/cmd/golangci-lint)

bin:
	@mkdir -p bin
