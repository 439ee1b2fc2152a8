import { Tabs } from 'antd'
import { useSearchParams } from 'react-router'
import { Heading } from '../../shell/Heading'

import { Due } from './Due'
import { Holds } from './Holds'
import { Purges } from './Purges'
import { useRetentionTexts } from './texts'

export default function Retention() {
  const t = useRetentionTexts()
  const [params, setParams] = useSearchParams()
  const tab = ['due', 'holds', 'purges'].includes(params.get('tab') ?? '') ? params.get('tab')! : 'due'
  return (
    <>
      <Heading style={{ marginBottom: 4 }}>{t('title')}</Heading>
      <Tabs
        activeKey={tab}
        onChange={(key) => setParams(key === 'due' ? {} : { tab: key }, { replace: true })}
        destroyOnHidden
        items={[
          { key: 'due', label: t('due'), children: <Due /> },
          { key: 'holds', label: t('holds'), children: <Holds /> },
          { key: 'purges', label: t('purges'), children: <Purges /> },
        ]}
      />
    </>
  )
}
