import { QuestionCircleOutlined } from '@ant-design/icons'
import { Button, Dropdown } from 'antd'
import type { CSSProperties, ReactNode } from 'react'
import { matchPath, useLocation, useNavigate } from 'react-router'

import { tasks, type TaskLabel } from '../tasks'
import { texts } from './language'

/** The screens with a tour of theirs, which is loaded when it is begun. */
const toured = ['depart', 'pleas', 'departure', 'cases', 'case', 'approvals', 'approval', 'log'] as const
export type Toured = (typeof toured)[number]
export const hasTour = (screen: TaskLabel | undefined): screen is Toured => toured.some((s) => s === screen)

const useTexts = texts(
  'heading',
  { help: '这个页面怎么用', tour: '在页面上看一遍', read: '打开帮助' },
  { help: 'How this screen works', tour: 'Show me on the screen', read: 'Open the help' },
)

/** A screen's heading, with the help about it beside it. */
export function Heading({ children, style }: { children: ReactNode; style?: CSSProperties }) {
  const t = useTexts()
  const here = useLocation()
  const navigate = useNavigate()
  const screen = tasks.find((task) => matchPath(`/${task.path}`, here.pathname))?.label
  const read = () => void navigate(`/help?about=${screen}`)
  const button = (
    <Button
      type="text" size="small" className="screen-help" icon={<QuestionCircleOutlined />} title={t('help')} aria-label={t('help')}
      onClick={hasTour(screen) ? undefined : read}
    />
  )
  return (
    <div className="heading" style={style}>
      <h1>{children}</h1>
      {screen && screen !== 'help' && (hasTour(screen) ? (
        <Dropdown
          trigger={['click']}
          menu={{
            autoFocus: true,
            items: [
              { key: 'tour', label: t('tour'), onClick: () => void navigate(here, { replace: true, state: { tour: true } }) },
              { key: 'read', label: t('read'), onClick: read },
            ],
          }}
        >
          {button}
        </Dropdown>
      ) : button)}
    </div>
  )
}
