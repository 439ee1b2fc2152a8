import type { TaskLabel } from '..'

/** A guide, a question or a word, in both languages. */
export interface Entry {
  zh: [title: string, text: string]
  en: [title: string, text: string]
  /** The screens that a guide is about: the first is where it leads to. */
  about?: TaskLabel[]
}

export const guides: Entry[] = [
  {
    zh: ['从工作台开始', '上面的数字是等着处理的事，点开就到；下面按期限列出每件事和下一步。三张图回答：每月离职多少人、到停用时间后多久停完全部账号、查阅和求助因为什么被拒；每张图都可以换成表格。看到哪些内容取决于角色。'],
    en: ['Start from the overview', 'The numbers on top are what waits; each leads there. Below, everything stands by its deadline with the next step. Three charts answer how many leave each month, how long after the cutoff all accounts are off, and for what looks and pleas are refused; each can be read as a table. What you see depends on your role.'],
    about: ['home'],
  },
  {
    zh: ['发起离职', '选择员工（看清工号和部门，避免同名），选择离职类型和最后工作日。其余日期按规定推算，旁边写着为什么。提交前会列出：什么时候停用账号、什么时候离职、每类资料保留到什么时候、需不需要第二人审核。'],
    en: ['Begin a departure', 'Choose the person (mind number and department: there are namesakes), the kind and the last working day. The other dates follow from the rules, and the screen says why. Before anything is sent you see when accounts are disabled, when the person has left, how long each part of the file is kept, and whether a second person decides.'],
    about: ['depart'],
  },
  {
    zh: ['批量离职', '很多人同一时间离职时：下载模板，一行一人填工号、离职类型、最后工作日，上传后先看试运行结果，每行写明会怎样、哪里有问题；改好文件可以重新上传，已办过的不会再办。人数多，或其中有负责人、管理员的，由审核人放行后自动开始。办理中可以暂停、继续、取消其余；结束后可以下载逐行结果。'],
    en: ['Many departures', 'When many people leave together: get the template, one person a row with number, kind and last working day, send it, and read the dry run first: each row says what would happen, or what is wrong. A mended file can be sent again; what is there already is not begun twice. If there are many, or heads of departments or administrators among them, a reviewer releases it and it starts by itself. It can be paused, resumed, and its rest cancelled; the outcome of each row can be downloaded.'],
    about: ['batch'],
  },
  {
    zh: ['跟进一次离职', '打开一次离职，可以看到劳动关系、账号、资料三条线走到哪一步，现在该谁处理，每个账号怎样停用、怎样核对。改日期、撤回、撤销都在这一页，提交前会写明后果。'],
    en: ['Follow a departure', 'A departure shows how far employment, accounts and the file are, who has to act, and how each account was disabled and read back. Dates, withdrawal and annulment are on the same screen, and say what they will do before they do it.'],
    about: ['departures', 'departure'],
  },
  {
    zh: ['处理求助', '有人来要某位员工的信息时：先记下谁来问、问谁、为什么。私人债务、客户资源、招聘挖人等一律不提供；系统会给出可以直接复制的礼貌答复，并登记这次求助。确有紧急情况，选择对应用途、填写依据，几秒内即可查阅，事后由另一人复核。'],
    en: ['Answer a plea for data', 'When somebody wants a colleague’s data: note who asks, about whom and why. Private debts, customers, recruiting and the like are never a reason; you get a polite reply to copy, and the plea is registered. In a true emergency choose the purpose, say what it rests on, and you see the value within seconds; a second person looks at it afterwards.'],
    about: ['pleas'],
  },
  {
    zh: ['停用与恢复账号', '到停用时间，系统向每个已接入的系统逐一停用并复查确认。没有确认停用的账号会标红，进入“异常工单”。离职被撤回或撤销时，按停用前备份恢复；备份包含权限和设置，不包含邮件内容。'],
    en: ['Accounts: off, and back on', 'At the cutoff each connected system disables the account, and it is read back. What was not read back as off is red and becomes a case. If a departure is withdrawn or annulled, accounts come back from their backup, which has rights and settings, but no mail.'],
    about: ['cases', 'case'],
  },
  {
    zh: ['账号核对', '每天把各系统的全部账号与在职、离职情况核对一遍：停用后又被启用、离职后仍可使用的账号会成为异常工单；不知属于谁、已不存在、工号不符、长期未登录等逐条列出，并写明下一步。核对不会停用任何账号。系统的列表不完整、为空或突然少了很多时只告警，不作判断；确实减少的，点“账号确实减少了”重新核对。'],
    en: ['Reconciliation', 'Every day all accounts of each system are compared with who works here and who has left: what was switched on again, or can still be used by somebody who left, becomes a case; accounts of nobody known, gone, with another number or not signed in to for long are listed with the next step. It switches nothing off. A list that is incomplete, empty or much smaller is an alarm and nothing is concluded; if there really are fewer accounts, press “Fewer accounts are right”.'],
    about: ['reconciliation'],
  },
  {
    zh: ['待接手事项', '离职、账号停用或不再担任角色的人负责的事项（部门、暂停删除、值班等），没有接手人的列在这里，暂由角色处理。选好接手的人，点“交给此人”。离职之前在离职详情的“交接”里指定，就不会列到这里。'],
    en: ['Waiting to be taken over', 'What somebody looked after who left, was disabled or lost a role, such as a department, a hold or a shift, stands here if nobody took it over; a role looks after it meanwhile. Choose who takes it and give it to them. What is handed over on the departure’s screen beforehand never comes here.'],
    about: ['successions'],
  },
  {
    zh: ['紧急停用', '要立即停用某人的账号，不等离职流程：打开其档案点“紧急停用”，或按 Ctrl+K 输入“紧急停用”。写明原因、按红色按钮、确认是您本人即可；画面逐个系统显示是否已停用并核实。系统够不到的门禁卡、印章等会列出联系谁。另一人须在 4 小时内确认；无人确认也保持停用。登记“已谈话”之前，本人和部门负责人看不到。恢复须两人同意。'],
    en: ['Cut access now', 'To take somebody’s access away without waiting for a departure open the file and press “Cut access now”, or press Ctrl+K. Write why, press the red button, confirm that it is you; the screen says of each system whether it was read back as off. For badge, seal and the like it says whom to call. Somebody else confirms within four hours; undecided it stays closed. Before it is entered that the person was told, neither the person nor the head sees it. Opening again takes two.'],
    about: ['cut', 'cuts'],
  },
  {
    zh: ['审核', '审核人看到：要改变什么、关系到谁、为什么、谁在什么时候提出。同意前需要再次确认是您本人。自己提出的申请自己不能审核。'],
    en: ['Approvals', 'You see what would change, for whom, why, and who asked when. Before you agree you confirm that it is you. Nobody decides about their own request.'],
    about: ['approvals', 'approval'],
  },
  {
    zh: ['查阅情况提示', '把一段时间内的查阅放在一起看：人数多、夜间、同一段原因反复使用、查阅本部门同事。只是提示，不是结论：先看具体查阅的原因，再向当事人核实。查看会记入查询日志。'],
    en: ['Patterns of looks', 'The looks of some time seen together: many people, nights, one reason again and again, the own department. They are hints and no findings: read why somebody looked, then ask the person. That you read them is in the query log.'],
    about: ['patterns'],
  },
  {
    zh: ['导出证据', '在“查询日志”中先用条件查出需要的记录，再一键导出。证据包含表格、摘要和验证材料；对方不必相信我们，用公开的方法就能验证没有被改动。'],
    en: ['Export evidence', 'Search the query log for what is needed, then export it. The pack has tables, a summary and what proves them: who receives it verifies by a public method that nothing was changed, without trusting us.'],
    about: ['log'],
  },
  {
    zh: ['离职人员核查', '回答“这一年离职的人，账号是否真的都停用了”：选期间，看结论和人数；未停用的在最前，标红。没有已知账号、也没有查找过的人单独列出，不算已停用。导出的表格和 PDF 记入查询日志，任何人都能核对文件没有被改动。'],
    en: ['Leavers’ report', 'Everybody who left in this year: really out? Choose a period; the totals come first, then who is not off, in red. Who has no known account and was never looked up stands apart and does not count as off. The tables and the PDF that you export are recorded, so that everybody can check that they were not changed.'],
    about: ['report'],
  },
  {
    zh: ['权限核查', '回答“过去某一天谁能看到什么”：选日期，看谁持有哪个角色、由谁给予和批准，当时的权限允许为哪些用途查阅哪些敏感信息，以及当天的变动。没有逐日保存的内容，报告会直接说明，不作推测。审计可以导出，导出记入查询日志。'],
    en: ['Access report', 'Who could see what on a past day: choose the day, and see who held which role, given and agreed by whom, which sensitive fields the permissions of that day opened for which purposes, and what changed in the course of the day. What is not kept day by day it says, and does not guess. Auditors export it, which is recorded.'],
    about: ['access'],
  },
  {
    zh: ['增加档案字段', '在“设置”里打开“字段目录”：先新增分区，再新增字段，写明填写什么、归哪一类资料、权限提示、法律依据和用途。改动先进清单，写上说明后提交审核。生效后还须在“权限”中授予，才有人看得到。'],
    en: ['Add a field to the files', 'Under “Settings” open the field catalogue: add a section, then a field with its type, category, notice, legal basis and purposes. It goes on a list, which you send with a reason; a reviewer decides. Somebody sees it once the permissions grant it too.'],
    about: ['fields'],
  },
  {
    zh: ['了解并管理自己的信息', '在“我的”里可以看到公司保留了什么、谁查阅过、保留到什么时候；可以下载副本（PDF 可阅读打印）、提出异议、同意或撤回同意。'],
    en: ['Your own data', 'Under “My data” you see what the company keeps, who looked at it, and until when it stays. You can get a copy, as PDF to read and print, object to a look, agree, and withdraw.'],
    about: ['me'],
  },
  {
    zh: ['员工档案与查阅', '按姓名、拼音或工号找人。敏感信息默认遮盖：点“查阅”，选用途、写原因，系统当场给出能不能看；看到的内容有倒计时，窗口失去焦点即隐藏。多人资料可以从文件批量导入，先试算再写入。'],
    en: ['Files, and looks at them', 'Find people by name, pinyin or number. Sensitive data is masked: ask to look with a purpose and a reason, and the verdict comes at once. What is shown runs out, and hides when you leave the window. Many people come in from a file, tried out before anything is written.'],
    about: ['people', 'person', 'import', 'leavers'],
  },
  {
    zh: ['紧急求助', '有人突发疾病或遇险，需要人事立即联系家属时在这里呼叫；值班的人事会马上看到，处理后写明结果。'],
    en: ['Emergencies', 'Call HR here when somebody is ill or in danger and the family has to know. Whoever is on duty sees it at once, and notes what was done.'],
    about: ['emergency'],
  },
  {
    zh: ['紧急联系人的告知与移除', '紧急联系人也应当知道自己被登记。打开员工档案的“紧急联系人”分区，可以登记哪一天、怎样告知的；联系人自己要求移除的，也在那里办理，内容立即删除，本人会看到。公司要求逐一告知的，还没有登记的人列在工作台和这个页面上。'],
    en: ['Emergency contacts: told, and removed', 'Contacts should know that they were named. The section “Emergency contact” of a file records on which day and how they were told; a contact who asks to be removed is removed there, at once, and the person sees it. Where the company has every contact told, who is not recorded yet stands on the overview and on this screen.'],
    about: ['contacts'],
  },
  {
    zh: ['保留与删除', '哪些资料快到期、哪些暂停删除、哪些删除等审核人决定。暂停要写明原因和依据；解除须第二人同意。'],
    en: ['Retention', 'What is due soon, what is held, and which deletions a reviewer has to decide about. A hold says why; to lift it takes a second person.'],
    about: ['retention', 'together'],
  },
  {
    zh: ['本人申请', '员工要副本、要更正、要删除的申请都在这里，按期限排列；办理结果会告诉本人。收到书面申请，点“登记书面申请”，写明收到日期和原件存放处。'],
    en: ['Requests of people', 'Who wants a copy, a correction or a deletion stands here by deadline; the person is told the outcome. What came on paper is entered with the day on which it came and where it is kept.'],
    about: ['requests'],
  },
  {
    zh: ['打印副本、近亲属申请', '书面要副本的：打开那份申请，点“打印副本”。打印就是查阅此人的全部信息，会记入日志。申请是您自己录入的，或收到已超过 30 天的，先由审核人同意，24 小时内再按一次打印；交给申请人后答复。员工身故、近亲属来申请的：先按身故办理离职，离职生效后登记，勾选“由身故员工的近亲属提出”，写明是谁、什么关系、看过哪些证明、为办什么事。随后由另一位人事或审核人核对证明原件，在那份申请里点“原件已核对”；此前不能同意，也不能打印。员工生前表示过不向近亲属提供的，只能答复不同意。'],
    en: ['Printing a copy, and near relatives', 'For a copy that was asked for on paper open the request and press “Print the copy”. It is a look at everything that is kept of the person, and is recorded. Of a request that you entered yourself, or that came more than 30 days ago, a reviewer decides first; press again within 24 hours of their word. Hand it over, then answer. If a near relative of somebody who died asks: enter the departure by death first, and once it has taken effect the request, with who asks, the relation, which proof you saw and what it is needed for. Somebody else of HR or a reviewer looks at the originals and says so in the request; nothing is granted or printed before. If the employee had said that relatives get nothing, it can only be refused.'],
    about: ['requests'],
  },
  {
    zh: ['权限', '把人拖到合适的层级（也可用键盘或姓名旁的菜单），或改某个层级能看什么。改动先成为草稿，对比前后，再申请第二人同意。'],
    en: ['Permissions', 'Drag people between tiers, by keyboard or menu too, or change what a tier may see. It becomes a draft first: compare before and after, then ask a second person.'],
    about: ['permissions'],
  },
  {
    zh: ['用户与角色', '申请新账户、改角色、重置登录方式，都要第二人审核；停用某人即结束其全部登录，也可以在这里撤销令牌。'],
    en: ['Users and roles', 'New accounts, other roles and resets take a second person. To disable somebody ends all their sessions; tokens are revoked here too.'],
    about: ['users'],
  },
  {
    zh: ['设置', '哪些事在哪里改、由谁改、要不要第二人同意；公司、部门与地点、字段目录也从这里进入。服务器的设置只显示，不在这里改。'],
    en: ['Settings', 'What is changed where, by whom, and whether it takes a second person; companies, departments and sites and the field catalogue are reached from here. Settings of the server are shown only.'],
    about: ['settings', 'organisation', 'calendars'],
  },
  {
    zh: ['意见反馈', '每个页面底部都有“意见反馈”：哪里不对、哪里好用、希望怎样，写一句就行，请不要写姓名或号码。人事和 IT 看得到内容，看不到是谁写的；答复出现在“意见反馈”里。'],
    en: ['Feedback', 'At the foot of every screen: what went wrong, what is good, what you wish for. A sentence is enough; please name nobody. HR and IT read it without who wrote it, and the answer appears under “Feedback”.'],
    about: ['feedback'],
  },
]

export const words: Entry[] = [
  { zh: ['待离职', '已发起离职，劳动关系还没有结束。'], en: ['About to leave', 'The departure has begun; the employment has not ended yet.'] },
  { zh: ['已离职', '劳动关系已结束，各类资料进入保留期。'], en: ['Departed', 'The employment has ended; each part of the file is kept for its time.'] },
  { zh: ['敏感信息删除中 / 已删除', '到期的资料连同密钥一起销毁，无法恢复，并出具数据销毁证明。'], en: ['Deleting, deleted', 'What is due is destroyed together with its keys, for good, and a certificate says so.'] },
  { zh: ['已停用', '账号已停用，并且复查确认过。'], en: ['Disabled', 'The account is off, and was read back as off.'] },
  { zh: ['需要处理', '账号没有按时停用，或有残留权限；已转为异常工单。'], en: ['Needs attention', 'An account was not off in time, or rights are left over; there is a case for it.'] },
  { zh: ['暂停删除', '因争议或调查，到期也不删除；期限照常计算。'], en: ['Deletion suspended', 'Because of a dispute or an investigation nothing is deleted, though the time runs on.'] },
  { zh: ['权限提示', '敏感信息旁的红色文字：这项信息只能用于什么。'], en: ['Notice', 'The red text beside sensitive data: what it may be used for.'] },
]

export const questions: Entry[] = [
  { zh: ['为什么我看不到号码？', '敏感信息默认遮盖。需要时点“查阅”，写明用途和原因；每一次都会记录，本人也看得到。'], en: ['Why is the number hidden?', 'Sensitive data is masked. Ask to look, with a purpose and a reason; each time is recorded, and the person sees it.'] },
  { zh: ['同事急着要离职员工家人的电话，怎么办？', '不能提供。可以用系统给出的答复，或在离职员工同意过的情况下代为转达一句话；转达不会告诉来人任何信息。'], en: ['A colleague insists on a leaver’s family’s number. What now?', 'It is not given out. Use the reply that the system offers, or pass a message on if the leaver agreed to that; who asks learns nothing by it.'] },
  { zh: ['日期填错了怎么办？', '离职生效前可以改日期，提交前会列出改动前后；已经选错人，可以申请撤销，由第二人确认，账号会恢复。'], en: ['A date was wrong. What now?', 'Dates can be changed before they take effect; you see before and after. If it is the wrong person, ask for an annulment: a second person confirms, and accounts come back.'] },
  { zh: ['文件里有几行有问题，要全部改好才能办理吗？', '不用。有问题的行不办理，其余照常；改好后可以连同原来的行一起重新上传，日期和类型相同的不会再办一次。'], en: ['Some rows of my file are wrong. Must all be mended first?', 'No. Those rows are left out and the rest is begun. Send the mended file later, with the old rows in it: what is there with the same dates and kind is not begun twice.'] },
  { zh: ['批量离职为什么要等审核人放行？', '人数多、占公司或部门比例高、其中有部门负责人或管理员时，须另一人放行；页面会写明是哪一条。同一人 24 小时内办的合并计算，分成几个文件也一样。'], en: ['Why does a reviewer have to release my file?', 'Because of how many they are, of their share of the company or a department, or because heads or administrators are among them; the screen says which. What the same person began within 24 hours counts together, so several files are no way around it.'] },
  { zh: ['批量办理时发现办错了，怎么停？', '点“暂停”，还没办理的行不再往下走；确认后再“继续办理”或“取消其余”。已发起的离职不会随之撤回，请在各自的离职详情里改日期、撤回或撤销。'], en: ['Something is wrong with a batch that runs. How do I stop it?', 'Press “Pause”: what has not begun waits. Then go on, or cancel the rest. What has begun is not taken back by that: change, withdraw or annul it on its own screen.'] },
  { zh: ['谁来接手离职的人负责的事？', '在离职详情的“交接”里指定：可以一人接手全部，也可以按事项分别指定，系统推荐的人点一下即可。停用账号时自动移交；在此之前可以改。'], en: ['Who takes over what a leaver looked after?', 'Say so under “Handing over” on the departure’s screen: one person for everything, or others for some things; who is proposed takes one click. It passes when the access ends, and can be changed until then.'] },
  { zh: ['没有指定接手人，会耽误停用账号吗？', '不会。到时照常停用；没有接手人的事项转由相应角色处理，列在工作台和“待接手事项”，直到有人接手。'], en: ['Does a missing successor delay the cutoff?', 'No. Access ends all the same. What nobody takes over falls to a role, and stands on the overview and under “Waiting to be taken over” until somebody takes it.'] },
  { zh: ['怎样收到待办提醒？', '在“我的 → 提醒”里填写工作邮箱，选每个工作日、每周或从不，中英文任选。邮件里只有数量和链接，不写涉及谁；没有待办时不发。'], en: ['How am I told that something waits?', 'Under “My data → Reminders” enter your address at work, and choose each working day, once a week or never, in either language. A mail has numbers and links and names nobody; when nothing waits, none is sent.'] },
  { zh: ['关了提醒，为什么还会收到邮件？', '有紧急停用等您确认时总会立即发邮件，每小时最多一封。不想再收到任何邮件，点“停止提醒”，邮箱随即删除。'], en: ['I switched reminders off. Why is there still a mail?', 'Emergency cuts that wait for you are always told at once, in one mail an hour at most. To get none at all press “Stop reminders”: the address is deleted.'] },
  { zh: ['提交后网络断了，要再点一次吗？', '可以。内容还在，再按一次即可；同一件事只会办一次。'], en: ['The network went away after I sent it. Press again?', 'Yes. What you typed is still there, and it is done once, however often it is sent.'] },
]
