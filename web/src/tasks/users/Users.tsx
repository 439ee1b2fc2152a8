import { Tabs } from 'antd'
import { useSearchParams } from 'react-router'
import { Heading } from '../../shell/Heading'

import { Accounts } from './Accounts'
import { Sessions } from './Sessions'
import { useUserTexts } from './texts'
import { Tokens } from './Tokens'

export default function Users() {
  const t = useUserTexts()
  const [params, setParams] = useSearchParams()
  const tab = ['users', 'sessions', 'tokens'].includes(params.get('tab') ?? '') ? params.get('tab')! : 'users'
  return (
    <>
      <Heading style={{ marginBottom: 4 }}>{t('title')}</Heading>
      <Tabs
        activeKey={tab}
        onChange={(key) => setParams(key === 'users' ? {} : { tab: key }, { replace: true })}
        destroyOnHidden
        items={[
          { key: 'users', label: t('users'), children: <Accounts /> },
          { key: 'sessions', label: t('sessions'), children: <Sessions /> },
          { key: 'tokens', label: t('tokens'), children: <Tokens /> },
        ]}
      />
    </>
  )
}
