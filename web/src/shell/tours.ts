import type { Toured } from './Heading'

/** What a step points at (data-tour in the screens), and what it says. */
interface Step {
  at: string
  zh: [title: string, text: string]
  en: [title: string, text: string]
}

export const tours: Record<Toured, Step[]> = {
  depart: [
    { at: 'who', zh: ['先选人', '输入姓名、拼音或工号。选好后看清工号、部门和入职日期，避免同名。'], en: ['Whom', 'Type a name, pinyin or number. Then mind number, department and hire date: there are namesakes.'] },
    { at: 'kind', zh: ['离职类型', '类型决定适用哪些规定，例如通知期和是否需要第二人审核。'], en: ['The kind', 'It decides which rules hold, such as the notice and whether a second person decides.'] },
    { at: 'when', zh: ['按日期，还是立即', '一般按最后工作日办理。选“立即”会马上停用全部账号，只用于紧急情况。'], en: ['By date, or at once', 'Usually it goes by the last working day. “At once” disables every account immediately: for emergencies only.'] },
    { at: 'last', zh: ['最后工作日', '只需填这一个日期，其余日期按规定推算；要改，展开下面的“其他日期”。'], en: ['The last working day', 'This one date is enough, the others follow from the rules. To change them, open what is below.'] },
    { at: 'plan', zh: ['会发生什么', '提交之前，这里列出什么时候停用账号、什么时候离职、每类资料保留到什么时候。'], en: ['What will happen', 'Before anything is sent, you read here when accounts go off, when the person has left, and how long each part of the file is kept.'] },
    { at: 'send', zh: ['提交', '按钮上写着会做什么。需要第二人审核的，提交后先等审核，不会马上生效。'], en: ['Send', 'The button says what it does. Where a second person decides, nothing takes effect before that.'] },
  ],
  pleas: [
    { at: 'asker', zh: ['谁来问', '先记下求助人是谁：同事，还是公司外的人。没有人求助、工作需要查阅的，也在这里选。'], en: ['Who asks', 'First note who it is: a colleague, or somebody from outside. Or nobody, if work itself needs it.'] },
    { at: 'about', zh: ['问的是谁', '选出被问到的员工。'], en: ['About whom', 'Choose the person who is asked about.'] },
    { at: 'wants', zh: ['想要什么、为什么', '照求助人说的写。“私人借款”“客户资源”这类原因一律不提供。'], en: ['What, and why', 'Write it as it was said. Private debts, customers and the like are never a reason.'] },
    { at: 'verdict', zh: ['能不能给', '选好人后，这里先给结论，再谈查阅；不能给的，有可以直接复制的礼貌答复，也可以代为转达。'], en: ['Yes or no', 'Once the person is chosen, the verdict stands here before any value does. A refusal comes with a polite reply to copy, and a message can be passed on.'] },
    { at: 'face', zh: ['求助人就在旁边？', '按 F2 进入当面模式：屏幕上只留登记表，别的都看不到。'], en: ['Do they stand beside you?', 'F2 leaves only the form on the screen; nothing else can be seen.'] },
  ],
  departure: [
    { at: 'employment', zh: ['任职', '走到哪一步、下一步什么时候自动发生。'], en: ['Employment', 'How far it is, and when the next thing happens by itself.'] },
    { at: 'accountsTrack', zh: ['账号', '到停用时间，各系统的账号逐一停用并复查确认；过了时间还没停完会标红。'], en: ['Accounts', 'At the cutoff every system disables its account, and it is read back. What is late is red.'] },
    { at: 'retentionTrack', zh: ['信息保留与删除', '哪些资料什么时候删除，有没有暂停删除。'], en: ['Retention and deletion', 'What is deleted when, and whether something is held.'] },
    { at: 'whoActs', zh: ['等谁处理', '需要人处理的事在这里；轮到您，右边有按钮。'], en: ['Who must act', 'What waits for people stands here, with a button if it waits for you.'] },
    { at: 'accounts', zh: ['每个账号的经过', '展开一个账号，看停用前备份、停用、复查的每一步。'], en: ['Account by account', 'Open one to read how it was backed up, disabled and read back.'] },
    { at: 'history', zh: ['经过', '谁在什么时候做了什么，最新的在上面。'], en: ['What happened', 'Who did what and when, the newest first.'] },
  ],
  cases: [
    { at: 'heading', zh: ['账号停不掉，就在这里', '某个系统没能确认停用，该账号会成为一张异常工单；其他账号照常停用。'], en: ['Accounts that would not go off', 'Where a system did not confirm, the account becomes a case; the others go off all the same.'] },
    { at: 'filter', zh: ['找工单', '默认显示未处理的；可以按系统或员工查找。'], en: ['Find a case', 'The open ones are shown; choose a system or a person for others.'] },
    { at: 'first', zh: ['一张工单', '写着哪个系统、谁的账号、等了多久，以及下一步做什么。点开办理。'], en: ['A case', 'Which system, whose account, how long it has waited, and what to do next. Open it to decide.'] },
    { at: 'systems', zh: ['各系统是否正常', '工单多时先看这里：IT 可以逐个检查系统能否连通。'], en: ['Do the systems answer?', 'Look here first if there are many cases: IT can check each system.'] },
  ],
  case: [
    { at: 'next', zh: ['下一步', '系统建议先做什么。'], en: ['What to do next', 'What is advised first.'] },
    { at: 'why', zh: ['为什么停不掉', '原因、是谁的账号、等了多久；可以打开这次离职。'], en: ['Why it would not go off', 'The cause, whose account, since when; the departure is a link away.'] },
    { at: 'tried', zh: ['已经试过什么', '每一步的结果和次数。'], en: ['What was tried', 'Each step, how it ended, how often.'] },
    { at: 'vendor', zh: ['发给系统厂商', '这段文字不含个人信息，可以直接复制给厂商。'], en: ['For the vendor', 'Copy this to whoever runs the system: nobody is named in it.'] },
    { at: 'decide', zh: ['怎么办', '只有 IT 能办：重试、已人工处理（仍会复查），或双人批准豁免（须审核人确认）。'], en: ['Decide', 'Only IT can: try again, done by hand (it is read back all the same), or ask to waive it, which takes a second person.'] },
    { at: 'accounts', zh: ['此人的其他账号', '看其他系统停得怎么样。'], en: ['The other accounts', 'How it stands with the person’s other systems.'] },
  ],
  approvals: [
    { at: 'heading', zh: ['需要第二人同意的事', '重要的操作由一人提出、另一人审核；自己提出的自己不能审核。'], en: ['What takes a second person', 'One person asks, another decides; nobody decides about their own.'] },
    { at: 'me', zh: ['等我审核', '轮到您的在最上面。'], en: ['Waiting for you', 'What you can decide about is on top.'] },
    { at: 'first', zh: ['一条申请', '要做什么、关系到谁、为什么、还有多久失效。点开看会改变什么，再决定。'], en: ['A request', 'What, about whom, why, and how long it holds. Open it to see what would change, and decide.'] },
    { at: 'state', zh: ['查看以前的', '换成已同意、已拒绝或全部。'], en: ['Earlier ones', 'Choose agreed, refused or all.'] },
  ],
  approval: [
    { at: 'heading', zh: ['要做的事', '旁边是现在的状态。'], en: ['What is asked for', 'Its state is beside it.'] },
    { at: 'changes', zh: ['会改变什么', '逐项列出改动前后；可以打开有关的档案或离职。'], en: ['What would change', 'Before and after, one by one, with links to the file and the departure.'] },
    { at: 'why', zh: ['谁提的、为什么', '原因、提出人、有效期，以及为什么需要第二人。'], en: ['Who asks, and why', 'The reason, who asked, until when it holds, and why it takes two people.'] },
    { at: 'comment', zh: ['可以留言', '拒绝时写明原因，提出人看得到。'], en: ['Say something', 'Best with a refusal: who asked reads it.'] },
    { at: 'decide', zh: ['同意或拒绝', '同意前可能要再次确认是您本人；同意后立即执行。'], en: ['Agree or refuse', 'You may be asked to confirm that it is you. What you agree to is done at once.'] },
  ],
  log: [
    { at: 'words', zh: ['先查', '输入姓名、工号或原因里的字词，按回车。不填条件就查全部。'], en: ['Search first', 'A name, a number, or words of the reason, then Enter. Without any you get everything.'] },
    { at: 'kind', zh: ['缩小范围', '按种类、结果、被查的人、操作的人筛选。'], en: ['Narrow it down', 'By kind, result, whom it is about, and who did it.'] },
    { at: 'when', zh: ['时间', '只要某段时间的记录，在这里选。'], en: ['When', 'For a stretch of time, choose it here.'] },
    { at: 'results', zh: ['查到的记录', '每条都当场核对有没有被改动，结果写在最前面；点开看全文。'], en: ['What is found', 'Each entry is verified as it is shown, and the badge says so; open one to read it whole.'] },
    { at: 'export', zh: ['导出证据', '按现在的条件导出。证据包里有表格和验证材料，对方不必相信我们就能核实。条数多时须第二人同意。'], en: ['Export the evidence', 'What the filters find becomes a pack of tables and what proves them: who receives it need not trust us. Many entries take a second person.'] },
  ],
}
