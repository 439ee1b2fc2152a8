import type { ComponentType } from 'react'
import {
  AuditOutlined, CommentOutlined, DeleteOutlined, EyeOutlined, FileDoneOutlined, FileProtectOutlined, FileSearchOutlined, FileSyncOutlined, HomeOutlined, IdcardOutlined, KeyOutlined,
  LogoutOutlined, QuestionCircleOutlined, MedicineBoxOutlined, SafetyOutlined, SettingOutlined, SmileOutlined, SolutionOutlined, StopOutlined, SyncOutlined, TeamOutlined, ToolOutlined, UserOutlined,
} from '@ant-design/icons'

import type { Role } from '../shell/me'
import { texts } from '../shell/language'

/** What people do here: one folder each, loaded when it is opened. */
export interface Task {
  path: string
  /** Whether it stands in the menu, or is only found by Ctrl+K; without it the task is reached from others. */
  menu?: boolean | 'found'
  label: TaskLabel
  icon?: ComponentType
  roles?: Role[] // everybody, if left out
  page: () => Promise<{ default: ComponentType }>
}

export const useTaskTexts = texts(
  'tasks',
  {
    home: '工作台', depart: '发起离职', departures: '离职', departure: '离职详情', people: '员工档案', person: '档案', import: '批量导入员工', batch: '批量离职', leavers: '离职员工库',
    pleas: '求助处理', permissions: '权限', approvals: '审核', successions: '待接手事项', together: '导入的到期删除', approval: '申请', cases: '异常工单', case: '工单', reconciliation: '账号核对', log: '查询日志', report: '离职人员核查', access: '权限核查', retention: '保留与删除',
    users: '用户与角色', me: '我的', help: '帮助', emergency: '紧急求助', cut: '紧急停用', cuts: '紧急停用记录', requests: '本人申请', feedback: '意见反馈', settings: '设置', organisation: '公司、部门与地点', fields: '字段目录', contacts: '待告知的紧急联系人', calendars: '节假日', patterns: '查阅情况提示',
  },
  {
    home: 'Overview', depart: 'Begin a departure', departures: 'Departures', departure: 'Departure', people: 'Files', person: 'File', import: 'Import people', batch: 'Many departures', leavers: 'People who left',
    pleas: 'Pleas for data', permissions: 'Permissions', approvals: 'Approvals', successions: 'Waiting to be taken over', together: 'Deletions of an import', approval: 'Request', cases: 'Cases', case: 'Case', reconciliation: 'Reconciliation', log: 'Query log', report: 'Leavers\' report', access: 'Access report', retention: 'Retention',
    users: 'Users and roles', me: 'My data', help: 'Help', emergency: 'Emergency', cut: 'Cut access now', cuts: 'Emergency cuts', requests: 'Requests of people', feedback: 'Feedback', settings: 'Settings', organisation: 'Companies, departments, sites', fields: 'Field catalogue', contacts: 'Contacts to be told', calendars: 'Public holidays', patterns: 'Patterns of looks',
  },
)

export type TaskLabel = Parameters<ReturnType<typeof useTaskTexts>>[0]

const readers: Role[] = ['hr_admin', 'reviewer', 'auditor', 'it_ops']

export const tasks: Task[] = [
  { path: '', menu: true, label: 'home', icon: HomeOutlined, page: () => import('./home/Home') },
  { path: 'departures/new', menu: true, label: 'depart', icon: LogoutOutlined, roles: ['hr_admin'], page: () => import('./departures/New') },
  { path: 'departures/batch', menu: 'found', label: 'batch', roles: ['hr_admin'], page: () => import('./departures/Batch') },
  { path: 'departures', menu: true, label: 'departures', icon: SolutionOutlined, roles: [...readers, 'department_head'], page: () => import('./departures/List') },
  { path: 'departures/:id', label: 'departure', page: () => import('./departures/Detail') },
  { path: 'pleas', menu: true, label: 'pleas', icon: SafetyOutlined, roles: ['hr_admin'], page: () => import('./pleas/Plea') },
  { path: 'people', menu: true, label: 'people', icon: IdcardOutlined, roles: [...readers, 'department_head'], page: () => import('./people/List') },
  { path: 'people/import', label: 'import', roles: ['hr_admin'], page: () => import('./people/Import') },
  { path: 'people/:id', label: 'person', page: () => import('./people/File') },
  { path: 'leavers', menu: true, label: 'leavers', icon: TeamOutlined, roles: ['hr_admin', 'reviewer', 'auditor'], page: () => import('./people/Leavers') },
  { path: 'cuts/new', menu: 'found', label: 'cut', roles: ['hr_admin', 'it_ops'], page: () => import('./cuts/New') },
  { path: 'cuts', menu: true, label: 'cuts', icon: StopOutlined, roles: readers, page: () => import('./cuts/List') },
  { path: 'cuts/:id', label: 'cuts', roles: readers, page: () => import('./cuts/Detail') },
  { path: 'emergency', menu: true, label: 'emergency', icon: MedicineBoxOutlined, page: () => import('./emergency/Emergency') },
  { path: 'approvals', menu: true, label: 'approvals', icon: AuditOutlined, roles: readers, page: () => import('./approvals/List') },
  { path: 'approvals/:id', label: 'approval', roles: readers, page: () => import('./approvals/Detail') },
  { path: 'cases', menu: true, label: 'cases', icon: ToolOutlined, roles: readers, page: () => import('./cases/List') },
  { path: 'cases/:id', label: 'case', roles: readers, page: () => import('./cases/Detail') },
  { path: 'reconciliation', menu: true, label: 'reconciliation', icon: SyncOutlined, roles: ['it_ops', 'hr_admin', 'auditor'], page: () => import('./reconciliation/Reconciliation') },
  { path: 'successions', menu: 'found', label: 'successions', roles: readers, page: () => import('./successions/List') },
  { path: 'retention', menu: true, label: 'retention', icon: DeleteOutlined, roles: ['hr_admin', 'reviewer', 'auditor'], page: () => import('./retention/Retention') },
  { path: 'retention/imports/:id', label: 'together', roles: ['hr_admin', 'reviewer', 'auditor'], page: () => import('./retention/Together') },
  { path: 'log', menu: true, label: 'log', icon: FileSearchOutlined, roles: ['auditor'], page: () => import('./log/Log') },
  { path: 'reports/leavers', menu: true, label: 'report', icon: FileDoneOutlined, roles: readers, page: () => import('./report/Leavers') },
  { path: 'reports/access', menu: true, label: 'access', icon: FileSyncOutlined, roles: ['auditor', 'reviewer'], page: () => import('./report/Access') },
  { path: 'patterns', menu: true, label: 'patterns', icon: EyeOutlined, roles: ['reviewer'], page: () => import('./patterns/Patterns') },
  { path: 'requests', menu: true, label: 'requests', icon: FileProtectOutlined, roles: ['hr_admin', 'reviewer', 'auditor'], page: () => import('./requests/Requests') },
  { path: 'requests/:id', label: 'requests', roles: ['hr_admin', 'reviewer', 'auditor'], page: () => import('./requests/Request') },
  { path: 'permissions', menu: true, label: 'permissions', icon: KeyOutlined, roles: ['hr_admin', 'reviewer', 'auditor'], page: () => import('./permissions/Permissions') },
  { path: 'users', menu: true, label: 'users', icon: UserOutlined, roles: ['hr_admin', 'it_ops', 'auditor'], page: () => import('./users/Users') },
  { path: 'settings', menu: true, label: 'settings', icon: SettingOutlined, roles: readers, page: () => import('./settings/Settings') },
  { path: 'organisation', menu: 'found', label: 'organisation', roles: readers, page: () => import('./organisation/Organisation') },
  { path: 'fields', menu: 'found', label: 'fields', roles: ['hr_admin', 'reviewer', 'auditor'], page: () => import('./fields/Fields') },
  { path: 'contacts', menu: 'found', label: 'contacts', roles: ['hr_admin'], page: () => import('./contacts/Untold') },
  { path: 'calendars', menu: 'found', label: 'calendars', roles: readers, page: () => import('./calendars/Calendars') },
  { path: 'me', menu: true, label: 'me', icon: SmileOutlined, page: () => import('./me/Me') },
  { path: 'feedback', menu: true, label: 'feedback', icon: CommentOutlined, page: () => import('./feedback/Feedback') },
  { path: 'help', menu: true, label: 'help', icon: QuestionCircleOutlined, page: () => import('./help/Help') },
]

export const maySee = (task: Task, role: Role | undefined) => !task.roles || (!!role && task.roles.includes(role))

