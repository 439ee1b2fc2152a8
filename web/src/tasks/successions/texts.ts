import { texts } from '../../shell/language'

export const useSuccessionTexts = texts(
  'successions',
  {
    title: '待接手事项',
    hint: '离职、账号停用或不再担任角色的人负责的事项，没有接手人，已转由角色处理。请指定接手的人。',
    empty: '没有待接手的事项。',
    from: '原负责人：{{who}}（{{why}}）',
    role: '现由{{role}}处理',
    who: '接手的人',
    whoHint: '接手的人：姓名、拼音或工号',
    take: '交给此人',
    more: '显示更多',
  },
  {
    title: 'Waiting for somebody to take over',
    hint: 'What people looked after who left, whose account was disabled or who lost the role, without successor: it fell to a role. Say who takes it.',
    empty: 'Nothing waits for somebody to take it over.',
    from: 'Was with {{who}} ({{why}})',
    role: 'Now with {{role}}',
    who: 'Who takes it',
    whoHint: 'Who takes it: name, pinyin or number',
    take: 'Give it to them',
    more: 'Show more',
  },
)
