// Package config reads what an installation sets: every setting is an
// environment variable that starts with LETHE_, is declared once in a struct
// below, and gets its default, its description and its place in the README's
// table from that declaration.
package config

import (
	"fmt"
	"log/slog"
	"reflect"
	"time"
)

// Prefix is how the name of every variable begins, DATABASE_URL and
// TEMPORAL_ADDRESS of [Development] excepted.
const Prefix = "LETHE_"

// ContactsAlways is that every emergency contact is told that they were named.
const ContactsAlways = "always"

// Config is what `lethe serve`, `lethe worker` and the other commands that open
// the databases are told. Durations are Go durations ("90s", "720h").
//
// The tags: env is the name without LETHE_; secret marks values that may come
// from a file named by the same variable with _FILE; used lists the commands
// that read it, required those that refuse to start without it; shown marks
// what the console may tell administrators ([Config.Shown]); en and zh describe
// it for the README.
type Config struct {
	DatabaseURL     string `env:"DATABASE_URL" secret:"true" used:"serve,worker,migrate,admin,token,ledger" required:"serve,worker,migrate,admin,token,ledger" en:"Postgres with the facts, as a postgres:// URL; serve and worker log in as a member of lethe_app, migrate and admin as the owner" zh:"业务数据所在的 Postgres，postgres:// 形式的地址；serve 与 worker 以 lethe_app 的成员登录，migrate 与 admin 以库的所有者登录"`
	KeysDatabaseURL string `env:"KEYS_DATABASE_URL" secret:"true" used:"serve,worker,migrate,ledger" required:"serve,worker,migrate" en:"Postgres with the wrapped data keys; in production another cluster, never the same database; serve and worker log in as a member of lethe_app there too, migrate as the owner" zh:"存放密钥的 Postgres；生产环境必须是另一个集群，不能与业务数据同库；serve 与 worker 同样以 lethe_app 的成员登录，migrate 以库的所有者登录"`

	KEKFile             string `env:"KEK_FILE" used:"serve,worker,migrate,ledger" required:"serve,worker" en:"file with the key-encryption key; migrate needs it where an upgrade seals what was in clear before" zh:"主密钥文件；升级须加密此前明文保存的内容时，migrate 也需要"`
	TombstoneFile       string `env:"TOMBSTONE_FILE" used:"serve,worker" required:"serve,worker" en:"file outside both databases that records each purge before its keys are destroyed; each process destroys again, as it starts, what a backup brought back" zh:"删除墓碑文件：位于两个数据库之外，销毁密钥前先记录每次删除；各进程启动时据此再次销毁备份恢复带回的密钥"`
	CodecKeyFile        string `env:"CODEC_KEY_FILE" used:"serve,worker" required:"serve,worker" en:"file with the key that encrypts workflow payloads" zh:"加密工作流数据所用密钥的文件"`
	CodecPathSecretFile string `env:"CODEC_PATH_SECRET_FILE" used:"serve" en:"development only: file with the secret path under which Temporal UI reaches the codec endpoint" zh:"仅限开发环境：Temporal UI 访问解码接口所用的秘密路径文件"`
	SystemsFile         string `env:"SYSTEMS_FILE" used:"serve,worker" required:"serve,worker" en:"JSON file that lists the connected systems (mail, finance, attendance)" zh:"列出所连接系统（邮箱、财务、考勤）的 JSON 文件"`

	SequencerDatabaseURL string `env:"SEQUENCER_DATABASE_URL" secret:"true" used:"serve,worker" required:"worker" en:"the same Postgres as DATABASE_URL with the login that orders the ledger, a member of lethe_sequencer; serve does without and leaves the ordering to the workers" zh:"与 DATABASE_URL 相同的 Postgres，使用为账本排序的登录角色（lethe_sequencer 的成员）；serve 不必设置，由 worker 负责排序"`
	LedgerKeyFile        string `env:"LEDGER_KEY_FILE" used:"serve,worker,migrate,admin,token,ledger" required:"serve,worker,migrate,admin,token" en:"file with the ledger's keys: the writers' MAC key, the log's and the receipts' signing keys; best the part of them that the process needs (lethe keys part)" zh:"账本密钥文件：写入者 MAC 密钥、日志签名密钥与回执签名密钥；建议只给进程所需的部分（lethe keys part）"`
	LedgerDir            string `env:"LEDGER_DIR" used:"serve,worker,ledger" required:"serve,worker" en:"folder outside the database for the ledger's tiles, bundles and signed checkpoints; all processes share it" zh:"存放账本分片、条目包与签名检查点的目录，位于数据库之外，由所有进程共用"`
	LedgerOrigin         string `env:"LEDGER_ORIGIN" used:"serve,worker,migrate,admin,token,ledger,dev" en:"name of the log in its checkpoints; left out, one made of the installation's id. It never changes" zh:"检查点中的日志名称；不填则由安装编号生成，确定后不可更改"`
	LedgerPolicyFile     string `env:"LEDGER_POLICY_FILE" used:"serve,worker,ledger" en:"file that lists the log's keys with their ranges and the witnesses that must cosign" zh:"列出日志密钥及其适用范围、以及必须联署的见证方的文件"`

	ExportDir   string        `env:"EXPORT_DIR" used:"serve" en:"folder for evidence packs of the query log, readable by this user alone, best on an encrypted disk; processes that share a database share it; left out, exports beside LEDGER_DIR" zh:"查询日志证据包的存放目录，仅本用户可读，宜位于加密磁盘；共用数据库的进程共用此目录；不填则为 LEDGER_DIR 旁的 exports"`
	ExportKeep  time.Duration `env:"EXPORT_KEEP" envDefault:"168h" shown:"true" used:"serve" en:"how long an evidence pack is kept" zh:"证据包保留多久"`
	ExportLimit int           `env:"EXPORT_LIMIT" envDefault:"10000" shown:"true" used:"serve" en:"entries of the query log that one person may export alone within 24 hours; more need a second person" zh:"一人 24 小时内可单独导出的查询日志条数上限，超过须双人审核"`

	WitnessFile string `env:"WITNESS_FILE" used:"serve,worker" en:"development only: key file of a witness that runs within the process and keeps its memory beside it" zh:"仅限开发环境：在进程内运行的见证方的密钥文件，其记忆保存在同一位置"`

	TemporalAddress   string `env:"TEMPORAL_ADDRESS" used:"serve,worker" required:"serve,worker" en:"host:port of the Temporal server" zh:"Temporal 服务器的 host:port"`
	TemporalNamespace string `env:"TEMPORAL_NAMESPACE" envDefault:"lethe" used:"serve,worker" en:"namespace in Temporal" zh:"Temporal 命名空间"`
	TemporalUIURL     string `env:"TEMPORAL_UI_URL" used:"serve" en:"address of Temporal UI, for the links that IT operations get" zh:"Temporal UI 的网址，用于给 IT 运维的链接"`
	TaskQueuePrefix   string `env:"TASK_QUEUE_PREFIX" used:"serve,worker" en:"put before every task queue's name, so that two installations can share a namespace" zh:"任务队列名前缀，使两套安装可以共用一个命名空间"`

	Listen          string        `env:"LISTEN" envDefault:"127.0.0.1:8080" used:"serve,dev" en:"host:port of the API" zh:"API 的监听地址"`
	OpsListen       string        `env:"OPS_LISTEN" envDefault:"127.0.0.1:8081" used:"serve,worker,dev" en:"host:port for health, metrics and the codec endpoint" zh:"健康检查、指标与解码接口的监听地址"`
	PublicURL       string        `env:"PUBLIC_URL" shown:"true" used:"serve,worker" en:"address under which people reach the API, when it stands behind a proxy; links that are mailed lead there" zh:"用户访问 API 的网址（位于反向代理之后时填写）；邮件中的链接指向此处"`
	SessionIdle     time.Duration `env:"SESSION_IDLE" envDefault:"30m" shown:"true" used:"serve" en:"a session that is not used for so long ends" zh:"登录会话闲置多久后失效"`
	SessionAbsolute time.Duration `env:"SESSION_ABSOLUTE" envDefault:"12h" shown:"true" used:"serve" en:"every session ends after so long" zh:"登录会话最长有效时间"`
	TrustedProxies  []string      `env:"TRUSTED_PROXIES" used:"serve" en:"addresses or networks (CIDR) of the proxies in front of the API, separated by commas: what they say about where a request comes from is believed" zh:"API 前置反向代理的地址或网段（CIDR），以逗号分隔；仅采信它们转述的来源地址"`

	ConnectionsPerAddress int    `env:"CONNECTIONS_PER_ADDRESS" envDefault:"256" used:"serve,worker" en:"connections that one address may have open to a port; trusted proxies are not counted" zh:"同一来源地址可同时打开的连接数上限；受信任的反向代理不计"`
	LogLevel              string `env:"LOG_LEVEL" envDefault:"info" used:"serve,worker,migrate,dev" en:"debug, info, warn or error" zh:"日志级别：debug、info、warn 或 error"`
	LogFormat             string `env:"LOG_FORMAT" envDefault:"json" used:"serve,worker,migrate,dev" en:"json or text" zh:"日志格式：json 或 text"`

	OIDCIssuer       string `env:"OIDC_ISSUER" shown:"true" used:"serve" en:"address of the company's OpenID provider, as its discovery document writes it; left out, people log in by password only. Needs PUBLIC_URL" zh:"公司 OpenID 统一登录服务的地址，须与其发现文档中的写法一致；不填则仅能用密码登录。须同时设置 PUBLIC_URL"`
	OIDCClientID     string `env:"OIDC_CLIENT_ID" used:"serve" en:"name under which the OpenID provider knows this installation" zh:"本系统在统一登录服务中登记的客户端标识"`
	OIDCClientSecret string `env:"OIDC_CLIENT_SECRET" secret:"true" used:"serve" en:"secret that goes with OIDC_CLIENT_ID" zh:"与 OIDC_CLIENT_ID 配套的密钥"`

	ContactsTold   string `env:"EMERGENCY_CONTACTS_TOLD" envDefault:"on_request" shown:"true" used:"serve" en:"always: an emergency contact stands on HR's list until it is recorded that they were told; on_request: they are told when the company asks for it" zh:"always：未记录已告知的紧急联系人一直列在人事待办中；on_request：由公司按需要求告知"`
	SMTPHost       string `env:"SMTP_HOST" shown:"true" used:"serve,worker" en:"mail server by which messages to people who have left are sent; left out, none are. Needs SMTP_FROM" zh:"用于向离职人员代为转达的邮件服务器；不填则不能代为转达。须同时设置 SMTP_FROM"`
	SMTPFrom       string `env:"SMTP_FROM" shown:"true" used:"serve,worker" en:"address that these mails come from" zh:"发件地址"`
	SMTPPort       int    `env:"SMTP_PORT" envDefault:"587" used:"worker" en:"port of the mail server" zh:"邮件服务器端口"`
	SMTPEncryption string `env:"SMTP_ENCRYPTION" envDefault:"starttls" used:"worker" en:"starttls, tls from the first byte, or none (to this machine only); without it nothing is sent" zh:"加密方式：starttls、tls（一开始即加密）或 none（仅限本机）；达不到要求时不发送"`
	SMTPUser       string `env:"SMTP_USER" used:"worker" en:"login at the mail server; left out, nobody logs in" zh:"邮件服务器的登录名；不填则不登录"`
	SMTPPassword   string `env:"SMTP_PASSWORD" secret:"true" used:"worker" en:"password that goes with SMTP_USER" zh:"与 SMTP_USER 配套的密码"`

	RelayPoll    time.Duration `env:"RELAY_POLL" envDefault:"1s" used:"serve,worker" en:"how often the relay looks for changed or overdue rows" zh:"中继多久检查一次有变更或已到期的记录"`
	RelayOverdue time.Duration `env:"RELAY_OVERDUE" envDefault:"1m" used:"serve,worker" en:"how long past its wake time a row may be before the relay wakes its workflow" zh:"超过应唤醒时间多久后，由中继唤醒工作流"`
	RelayBackoff time.Duration `env:"RELAY_BACKOFF" envDefault:"5s" used:"serve,worker" en:"pause before the same row is nudged again" zh:"再次唤醒同一记录前的间隔"`
	RelayBatch   int           `env:"RELAY_BATCH" envDefault:"100" used:"serve,worker" en:"rows taken in one look" zh:"每次检查最多处理的记录数"`

	StartToClose       time.Duration `env:"ACTIVITY_START_TO_CLOSE" envDefault:"60s" used:"serve,worker" en:"limit for one try of a step" zh:"单次尝试一个步骤的时限"`
	ScheduleToClose    time.Duration `env:"ACTIVITY_SCHEDULE_TO_CLOSE" envDefault:"10m" used:"serve,worker" en:"limit for all tries of a step together" zh:"一个步骤全部尝试的总时限"`
	Heartbeat          time.Duration `env:"ACTIVITY_HEARTBEAT" envDefault:"10s" used:"serve,worker" en:"a step that is silent for so long counts as lost" zh:"步骤超过此时长没有心跳即视为丢失"`
	RetryInitial       time.Duration `env:"ACTIVITY_RETRY_INITIAL" envDefault:"1s" used:"serve,worker" en:"pause before the first retry; it doubles from there" zh:"首次重试前的间隔，之后逐次加倍"`
	RetryMax           time.Duration `env:"ACTIVITY_RETRY_MAX" envDefault:"30s" used:"serve,worker" en:"longest pause between two tries" zh:"两次尝试之间的最长间隔"`
	HTTPTimeout        time.Duration `env:"HTTP_TIMEOUT" envDefault:"10s" used:"worker" en:"limit for one call to a connected system" zh:"调用一次外部系统的时限"`
	UnlinkTries        int           `env:"UNLINK_TRIES" envDefault:"10" used:"worker" en:"tries before a system's step becomes a support case" zh:"账号停用尝试多少次后转为异常工单"`
	AcceptedCheck      time.Duration `env:"ACCEPTED_CHECK" envDefault:"5s" used:"worker" en:"when to look again at a change that a system accepted but has not made yet" zh:"外部系统已受理但未完成时，多久后再次核对"`
	ContinueAsNewAfter time.Duration `env:"CONTINUE_AS_NEW_AFTER" envDefault:"720h" used:"serve,worker" en:"age at which a waiting workflow starts a fresh run, at most 30 days" zh:"等待中的工作流多久后开始新的运行，最长 30 天"`
	PurgeJitter        time.Duration `env:"PURGE_JITTER" envDefault:"0s" used:"worker" en:"purges due together are spread over this time after the deadline, never before it" zh:"同时到期的删除在截止时间之后的这段时间内错开执行，绝不提前"`

	ImportLookUps int `env:"IMPORT_LOOKUPS" envDefault:"5" used:"worker" en:"people who left before a file brought them in, about whose accounts connected systems are asked within a second, at most" zh:"导入的已离职人员，每秒最多向所连接系统按工号查找多少人的账号"`

	BatchRate            int `env:"BATCH_RATE" envDefault:"100" used:"worker" en:"departures of a file that are begun within a second, at most" zh:"批量离职每秒最多发起多少人"`
	BatchLimit           int `env:"BATCH_LIMIT" envDefault:"20" shown:"true" used:"serve" en:"people whom one person lets leave by a file without a second one; whom the same person let leave within 24 hours counts with it" zh:"一人可单独用文件办理离职的人数上限，同一人 24 小时内办理的离职合并计算，超过须双人审核"`
	BatchCompanyShare    int `env:"BATCH_COMPANY_SHARE" envDefault:"5" shown:"true" used:"serve" en:"likewise, percent of a legal entity's people" zh:"同上，占一个用工主体人数的百分比上限"`
	BatchDepartmentShare int `env:"BATCH_DEPARTMENT_SHARE" envDefault:"50" shown:"true" used:"serve" en:"likewise, percent of a department's people" zh:"同上，占一个部门人数的百分比上限"`

	ReconcileEvery    time.Duration `env:"RECONCILE_EVERY" envDefault:"24h" shown:"true" used:"serve,worker" en:"how often the accounts of connected systems are compared with the facts by themselves; 0: only when somebody asks" zh:"多久自动核对一次各系统的账号；0 表示仅由人工发起"`
	ReconcileOffset   time.Duration `env:"RECONCILE_OFFSET" envDefault:"18h" used:"serve,worker" en:"how long after midnight UTC, or after each such period has begun, that is (18h is two in the morning in China)" zh:"每个周期（自 UTC 零点起算）开始多久后进行核对；18h 即北京时间凌晨两点"`
	ReconcileShrink   int           `env:"RECONCILE_SHRINK" envDefault:"20" used:"worker" en:"percent of its accounts that a system's list may lack against the last one; with more missing there is an alarm, and nothing is concluded" zh:"系统账号列表与上次相比最多可减少百分之多少；减少更多即告警，且不作任何判断"`
	ReconcileNoSignIn int           `env:"RECONCILE_NO_SIGN_IN_DAYS" envDefault:"90" used:"worker" en:"days without a sign-in after which HR is asked whether the departure of somebody employed was forgotten; 0: never" zh:"在职员工多少天未登录即提示人事确认是否漏办离职；0 表示不提示"`

	ApprovalsRequired []string      `env:"APPROVALS_REQUIRED" shown:"true" used:"serve" en:"operations that need two people here though not everywhere, separated by commas (purge.decide); what always needs two stays so" zh:"除固定需要双人审核的操作外，本机构另外要求双人审核的操作，用逗号分隔（如 purge.decide）；固定要求不能取消"`
	ApprovalExpiry    time.Duration `env:"APPROVAL_EXPIRY" envDefault:"72h" shown:"true" used:"serve" en:"how long a request for approval stays open, one minute to 30 days" zh:"双人审核申请的有效期，1 分钟至 30 天"`

	WorkflowPollers         int `env:"WORKFLOW_POLLERS" envDefault:"16" used:"worker" en:"pollers for workflow tasks" zh:"工作流任务的轮询数"`
	ActivityPollers         int `env:"ACTIVITY_POLLERS" envDefault:"16" used:"worker" en:"pollers for activity tasks" zh:"活动任务的轮询数"`
	MaxConcurrentActivities int `env:"MAX_CONCURRENT_ACTIVITIES" envDefault:"64" used:"worker" en:"steps that one worker runs at once, per task queue" zh:"每个任务队列中，一个 worker 同时执行的步骤数"`
	StickyCache             int `env:"STICKY_CACHE" envDefault:"1000" used:"worker" en:"workflows that one worker keeps in memory, about 30 KB each" zh:"一个 worker 在内存中保留的工作流数，每个约 30 KB"`

	// Dev is set by the --dev flag alone, never by the environment: a variable
	// left over in a shell must not turn a production process into one that
	// accepts development databases and tokens.
	Dev bool `env:"-"`
}

// Development is what `lethe dev` is told besides [Config]'s addresses and log
// settings: what to use instead of starting it, and the ports of what it starts.
type Development struct {
	DatabaseURL     string `env:"DATABASE_URL" plain:"true" secret:"true" used:"dev" en:"a Postgres database to use instead of starting one; it must be empty or from an earlier lethe dev" zh:"改用此 Postgres 数据库而不另行启动；必须为空库或之前由 lethe dev 使用过"`
	KeysDatabaseURL string `env:"KEYS_DATABASE_URL" plain:"true" secret:"true" used:"dev" en:"the keys database that goes with DATABASE_URL; left out, a second database on the same server" zh:"与 DATABASE_URL 配套的密钥库；不填则在同一服务器上使用第二个数据库"`
	TemporalAddress string `env:"TEMPORAL_ADDRESS" plain:"true" used:"dev" en:"host:port of a Temporal server to use instead of starting one" zh:"改用此 Temporal 服务器（host:port）而不另行启动"`

	DataDir        string `env:"DATA_DIR" envDefault:".data" used:"dev" en:"folder for everything that lethe dev keeps" zh:"lethe dev 存放全部数据的目录"`
	PostgresPort   int    `env:"POSTGRES_PORT" envDefault:"5433" used:"dev" en:"port of the private Postgres" zh:"自带 Postgres 的端口"`
	TemporalPort   int    `env:"TEMPORAL_PORT" envDefault:"7233" used:"dev" en:"port of the Temporal dev server" zh:"Temporal 开发服务器的端口"`
	TemporalUIPort int    `env:"TEMPORAL_UI_PORT" envDefault:"8233" used:"dev" en:"port of Temporal UI" zh:"Temporal UI 的端口"`
	TemporalBinary string `env:"TEMPORAL_BINARY" used:"dev" en:"the Temporal CLI to start; left out, bin/temporal, then the PATH" zh:"要启动的 Temporal CLI；不填则依次使用 bin/temporal 与 PATH"`
	MailPort       int    `env:"SANDBOX_MAIL_PORT" envDefault:"8091" used:"dev" en:"port of the mail sandbox" zh:"邮箱模拟系统的端口"`
	FinancePort    int    `env:"SANDBOX_FINANCE_PORT" envDefault:"8092" used:"dev" en:"port of the finance sandbox" zh:"财务模拟系统的端口"`
	AttendancePort int    `env:"SANDBOX_ATTENDANCE_PORT" envDefault:"8093" used:"dev" en:"port of the attendance sandbox" zh:"考勤模拟系统的端口"`
	InboxPort      int    `env:"SANDBOX_INBOX_PORT" envDefault:"8094" used:"dev" en:"port under which what the sandbox's inbox got is read" zh:"模拟收件箱的查看端口"`
	SMTPPort       int    `env:"SANDBOX_SMTP_PORT" envDefault:"8095" used:"dev" en:"port on which the sandbox's inbox takes mail" zh:"模拟收件箱的收信端口"`
	WorkerOpsPort  int    `env:"WORKER_OPS_PORT" envDefault:"8082" used:"dev" en:"port for the worker's health and metrics" zh:"worker 的健康检查与指标端口"`
}

// Client is what the commands that talk to the API are told.
type Client struct {
	API   string `env:"API" envDefault:"http://127.0.0.1:8080" used:"depart,withdraw,dates,list,watch,cases" en:"address of the API for the command line" zh:"命令行所用的 API 网址"`
	Token string `env:"TOKEN" secret:"true" used:"depart,withdraw,dates,list,watch,cases" en:"token for the command line; left out, that of a running lethe dev for HR, or for IT operations" zh:"命令行所用的令牌；不填则使用正在运行的 lethe dev 的人事或 IT 运维令牌"`
}

// LogValue shows the settings without the secret ones.
func (c Config) LogValue() slog.Value { return logValue(reflect.ValueOf(c)) }

// String hides everything: a configuration printed by accident shows no password.
func (c Config) String() string { return "config.Config(hidden)" }

// GoString hides what %#v would show.
func (c Config) GoString() string { return c.String() }

// String hides everything, as [Config.String] does.
func (d Development) String() string { return "config.Development(hidden)" }

// GoString hides what %#v would show.
func (d Development) GoString() string { return d.String() }

// String hides everything, as [Config.String] does.
func (c Client) String() string { return "config.Client(hidden)" }

// GoString hides what %#v would show.
func (c Client) GoString() string { return c.String() }

func logValue(v reflect.Value) slog.Value {
	var attrs []slog.Attr
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if field.Tag.Get("secret") == "true" || v.Field(i).IsZero() {
			continue
		}
		attrs = append(attrs, slog.String(field.Name, fmt.Sprint(v.Field(i).Interface())))
	}
	return slog.GroupValue(attrs...)
}
